"""What templates of other rooms show of usage."""
