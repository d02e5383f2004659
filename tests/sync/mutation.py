"""`python -m tests.sync.mutation [every] [module …]`: how many small faults in the merge engine its examples notice.

Each mutant is one change in one module: a comparison, `and`/`or`, a `not`, a truth value, a number, a sum or a mask
turned into another. The examples run over it in a process of its own; a failure, an error or no end notices it. With
`every` n only each n-th mutant runs. Annotations, decorators and texts are left alone. It prints what was not noticed:
some of it is equal in effect (`>` for `>=` where both cannot be), the rest is a test to be written.
"""

import ast
import copy
import importlib.abc
import importlib.machinery
import importlib.util
import os
import resource
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import settings

ROOT = Path(__file__).parents[2]
MODULES = (
    "combination",
    "constraints",
    "covering",
    "document",
    "edits",
    "fields",
    "graph",
    "history",
    "lists",
    "merge",
    "patching",
    "policy",
    "questions",
    "shape",
    "values",
)
#: What notices most comes first.
TESTS = (
    "merge_kinds",
    "merge_acts",
    "merge_undos",
    "merge_nobodys_values",
    "merge_revivals",
    "merge_forms",
    "policy",
    "fields",
    "merge",
    "graph",
)
#: Without the fixtures of servers and storages, which take longer to load than the examples to run.
BARE = ("-x", "-q", "--noconftest", "-c", os.devnull, "--rootdir", str(ROOT), "--import-mode", "importlib")
#: Of computing, not of waiting: a busy machine notices nothing.
SECONDS = 60
SIDE_BY_SIDE = 2

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.GtE,
    ast.LtE: ast.Gt,
    ast.Gt: ast.LtE,
    ast.GtE: ast.Lt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.BitAnd: ast.BitOr,
    ast.LShift: ast.RShift,
}


class Mutation(ast.NodeTransformer):
    """Changes the `wanted`-th place that can be changed, and tells which it was."""

    def __init__(self, wanted: int) -> None:
        """Count from nought."""
        self.wanted, self.seen, self.told = wanted, 0, ""

    def is_it(self, node: ast.AST, what: str) -> bool:
        """Count a place; whether it is the one."""
        self.seen += 1
        if self.seen - 1 == self.wanted:
            self.told = f"{getattr(node, 'lineno', 0)}: {what}"
        return self.seen - 1 == self.wanted

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        for place, operator in enumerate(node.ops):
            if self.is_it(node, f"{type(operator).__name__} turned"):
                node.ops[place] = COMPARISONS[type(operator)]()
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        self.generic_visit(node)
        if self.is_it(node, f"{type(node.op).__name__} turned"):
            node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        return node.operand if isinstance(node.op, ast.Not) and self.is_it(node, "not left out") else node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        other = OPERATORS.get(type(node.op))
        if other is not None and self.is_it(node, f"{type(node.op).__name__} turned"):
            node.op = other()
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, bool) and self.is_it(node, f"{node.value} turned"):
            return ast.Constant(not node.value)
        if type(node.value) is int and self.is_it(node, f"{node.value} and one"):
            return ast.Constant(node.value + 1)
        return node

    def visit_Continue(self, node: ast.Continue) -> ast.AST:
        return ast.Pass() if self.is_it(node, "continue left out") else node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        # Only what is assigned inside functions: the rest are fields of dataclasses and names of types.
        if node.value is not None and node.col_offset > 4:
            node.value = self.visit(node.value)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.body = [self.visit(statement) for statement in node.body]
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.body = [self.visit(statement) for statement in node.body]
        return node


class Loader(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives one module another tree."""

    def __init__(self, name: str, tree: ast.Module) -> None:
        """Keep which and what."""
        self.name, self.tree = name, tree

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return this loader's specification for its module."""
        return importlib.util.spec_from_loader(fullname, self) if fullname == self.name else None

    def exec_module(self, module: ModuleType) -> None:
        """Run the other tree."""
        exec(compile(self.tree, f"<mutant of {self.name}>", "exec"), module.__dict__)


def mutants(module: str) -> Iterator[tuple[str, ast.Module]]:
    """Give every mutant of a module with what was changed in it."""
    source = ast.parse((ROOT / "sync" / f"{module}.py").read_text("utf-8"))
    wanted = 0
    while True:
        mutation = Mutation(wanted)
        tree = mutation.visit(copy.deepcopy(source))
        if not mutation.told:
            return
        yield f"sync/{module}.py:{mutation.told}", ast.fix_missing_locations(tree)
        wanted += 1


def start(module: str, tree: ast.Module) -> int:
    """Run the examples over a mutant in a process of its own; return its id. It ends with 0 if nothing was noticed."""
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        sys.meta_path.insert(0, Loader(f"sync.{module}", tree))
        files = [f"tests/sync/test_{name}.py" for name in TESTS if name != "graph" or module == "graph"]
        os._exit(int(pytest.main([*BARE, "-p", "no:cacheprovider", *files])))
    return child


def main() -> None:
    """Run the mutants, and print the score and what was not noticed."""
    os.chdir(ROOT)
    settings.register_profile("mutation", max_examples=20, database=None, derandomize=True)
    settings.load_profile("mutation")
    every = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    wanted = sys.argv[2:] or MODULES
    everything = [(module, what, tree) for module in wanted for what, tree in mutants(module)]
    waiting, running, noticed = everything[::every], dict[int, str](), 0
    chosen = len(waiting)
    print(f"{chosen} of {len(everything)} mutants", flush=True)
    while waiting or running:
        while waiting and len(running) < SIDE_BY_SIDE:
            module, what, tree = waiting.pop()
            running[start(module, tree)] = what
        child, status = os.wait()
        what = running.pop(child)
        noticed += status != 0
        if status == 0:
            print(f"not noticed: {what}", flush=True)
        if (ended := chosen - len(waiting) - len(running)) % 10 == 0:
            print(f"  {noticed} of {ended} so far", flush=True)
    print(f"noticed {noticed} of {chosen}: {noticed / chosen:.1%}")


if __name__ == "__main__":
    main()
