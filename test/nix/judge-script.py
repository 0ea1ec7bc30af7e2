"""Reads a test script of NixOS and the names of its machines, as JSON, and prints what is wrong with it and which methods
of a machine it calls. What is wrong is what the linters of the driver would stop at (unknown and unused names, f-strings
without a place), and a pause where something could be waited for."""

import ast
import builtins
import json
import sys

# What the driver gives a script (nixos/lib/test-driver, generate_driver_symbols) and we use or might.
GIVEN = {"start_all", "subtest", "machines", "driver", "log", "retry", "join_all"}


def names(tree, context):
    return [node for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, context)]


def judge(script, machines):
    tree = ast.parse(script)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    arguments = {argument.arg for function in functions for argument in function.args.args}
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    made = {node.id for node in names(tree, ast.Store)} | {function.name for function in functions}
    bound = made | arguments | imported
    read = {node.id for node in names(tree, ast.Load)}
    # A loop over machines gives each of them another name for a while.
    walked = set(machines)
    for node in ast.walk(tree):
        if isinstance(node, ast.For) and isinstance(node.iter, (ast.Tuple, ast.List)) and isinstance(node.target, ast.Name):
            if {item.id for item in node.iter.elts if isinstance(item, ast.Name)} & walked:
                walked.add(node.target.id)

    problems = [f"unknown name: {name}" for name in read - bound - set(machines) - GIVEN - set(dir(builtins))]
    problems += [f"unused name: {name}" for name in bound - read]
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr) and not any(isinstance(value, ast.FormattedValue) for value in node.values):
            problems.append(f"line {node.lineno}: an f-string without a place")
        if isinstance(node, ast.Attribute) and node.attr == "sleep":
            problems.append(f"line {node.lineno}: a pause")
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in walked
    }
    return {"problems": sorted(problems), "methods": sorted(used)}


given = json.load(sys.stdin)
json.dump(judge(given["script"], given["machines"]), sys.stdout)
