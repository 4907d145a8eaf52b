const NEAR_PX = 48;

/** Keeps a scrolling thread at its end while the person is there, and never takes them away from elsewhere. */
export class EndKeeper {
  isThere = $state(true);
  #scroller: HTMLElement | null = null;

  /** Attach to what scrolls. */
  watch = (scroller: HTMLElement): (() => void) => {
    this.#scroller = scroller;
    const look = (): void => {
      this.isThere = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_PX;
    };
    const resized = new ResizeObserver(() => this.#follow());
    resized.observe(scroller);
    scroller.addEventListener("scroll", look, { passive: true });
    return () => {
      resized.disconnect();
      scroller.removeEventListener("scroll", look);
      this.#scroller = null;
    };
  };

  /** Attach to what grows inside it. */
  measure = (content: HTMLElement): (() => void) => {
    const grown = new ResizeObserver(() => this.#follow());
    grown.observe(content);
    return () => grown.disconnect();
  };

  /** Go to the end and stay there. */
  return(): void {
    this.isThere = true;
    this.#follow();
  }

  #follow(): void {
    if (this.isThere && this.#scroller) this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }
}
