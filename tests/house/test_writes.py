"""Only what changed is written, only the lock that is meant is taken, and nobody listens from afar."""

import ast

from tests.house import source

# What makes a new row; everything else names its columns.
MAKES_NEW_ROWS = {
    ("apps/accounts/models.py", "user.save(using=self._db)"),
    ("apps/accounts/forms.py", "super().save(request)"),
}
# Steps that must undo a part of their own: a refusal gives back what it took, and the act goes on to keep the refusal.
SAVEPOINTS = ["apps/inference/claims.py", "apps/usage/ledger.py"]


def ours():
    """The sandbox keeps JSON in its own store, and has other habits."""
    return [path for path in source.modules("apps", "project") if "stripe_sandbox" not in path.parts]


def test_every_save_names_its_columns():
    loose = {
        (source.name_of(path), ast.unparse(call))
        for path in ours()
        for call in source.calls(path, "save")
        if "update_fields" not in source.keywords(call)
    }
    assert loose - MAKES_NEW_ROWS == set()
    assert MAKES_NEW_ROWS - loose == set(), "these are gone: take them off the list"


def test_every_row_lock_says_whether_it_holds_the_key():
    loose = [
        f"{source.name_of(path)}:{call.lineno}"
        for path in ours()
        for call in source.calls(path, "select_for_update")
        if "no_key" not in source.keywords(call)
    ]
    assert loose == []


def test_every_act_is_durable():
    loose = [
        source.name_of(path)
        for path in ours()
        for call in source.calls(path, "atomic")
        if "durable" not in source.keywords(call)
    ]
    assert sorted(loose) == SAVEPOINTS


def test_nobody_asks_to_be_told():
    """No signals; the linter bans the imports, this finds receivers of libraries' own signals."""
    loose = [
        f"{source.name_of(path)}:{node.lineno}"
        for path in ours()
        for node in ast.walk(source.tree_of(path))
        if isinstance(node, ast.Attribute) and node.attr == "connect" and "signal" in ast.unparse(node.value)
    ]
    assert loose == []
