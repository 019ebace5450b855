"""The project's Rust files as scripts/check-architecture sees them.

Rust is read by its surface: paths are followed through modules and re-exports, methods and macros
are not, a glob is taken for a need of its module, and a module in braces for a part of its file.
What stands under `#[cfg(test)]` is left out.
"""

import io
import re
import subprocess
import tarfile
from pathlib import Path

NO_CODE = re.compile(
    r"""//[^\n]*|/\*.*?\*/|\bb?r(?P<hashes>\#*)".*?"(?P=hashes)
    |b?"(?:\\.|[^"\\])*"|b?'(?:\\(?:x..|u\{[^}]*\}|.)|[^\\'\n])'""",
    re.VERBOSE | re.DOTALL,
)
TEST_ITEM = re.compile(r"#\[cfg\((?:all\()?test\b[^\]]*\]")
BRACKET = re.compile(r"[][(){};]")
MODULE = re.compile(r"\bmod\s+(\w+)\s*;")
USE = re.compile(r"(\bpub(?:\([^)]*\))?\s+)?\buse\s+([^;]+);")
INLINE_PATH = re.compile(r"(?<![\w:.])[A-Za-z_]\w*(?:\s*::\s*\w+)+")


def blank(text):
    return re.sub(r"[^\n]", " ", text)


def replaced(match):
    """Nothing in the place of a comment, and a bare quote in that of a literal."""
    comment = match[0].startswith(("//", "/*"))
    return blank(match[0]) if comment else '"' + blank(match[0][1:])


def item_end(code, start):
    """Where the item that begins at `start` ends: at its semicolon or its closing brace."""
    depth = 0
    for bracket in BRACKET.finditer(code, start):
        depth += {"(": 1, "[": 1, "{": 1, ";": 0}.get(bracket[0], -1)
        if depth < 0 or (depth == 0 and bracket[0] in "};"):
            return bracket.end()
    return len(code)


def use_tree(text):
    """The paths that a `use` brings in, each with the name that it has here."""
    found, outer, path = [], [[]], []
    for token in [*re.findall(r"\w+|[*{},]", text), ","]:
        if token == "{":
            outer.append(path)
        elif token in "},":
            if len(path) > len(outer[-1]):
                name, path = path[-1], path[:-2] if path[-2:-1] == ["as"] else path
                path = path[:-1] if path[-1] == "self" else path
                found.append((path, path[-1] if name == "self" else name))
            if token == "}":
                outer.pop()
            path = outer[-1]
        else:
            path = [*path, token]
    return found


class Source:
    """A file. `code` is its text without tests, comments and literals, each line in its place."""

    def __init__(self, text):
        self.text, self.lines, self.test_modules = text, text.count("\n"), set()
        self.whole = self.code = NO_CODE.sub(replaced, text)
        for match in TEST_ITEM.finditer(self.whole):
            start, end = match.start(), item_end(self.whole, match.end())
            if self.code[start] == "#":
                self.test_modules.update(MODULE.findall(self.whole[start:end]))
                self.lines -= text.count("\n", start, end) + 1
                self.code = self.code[:start] + blank(text[start:end]) + self.code[end:]
        self.body = USE.sub(lambda match: blank(match[0]), self.code)
        self.uses = [
            (match.start(2), bool(match[1]), path, name)
            for match in USE.finditer(self.code)
            for path, name in use_tree(match[2])
        ]
        self.imports = {name: path for _, _, path, name in self.uses if name != "*"}

    def line(self, offset):
        return self.text.count("\n", 0, offset) + 1

    def first(self, in_code, in_literals):
        """Where the first match in the code, or in a literal, is: nothing, or its line and text."""
        texts = NO_CODE.finditer(self.text)
        literals = [match for match in texts if self.code[match.start()] == '"']
        found = [match for match in literals if in_literals.fullmatch(match[0])]
        found += in_code.finditer(self.code)
        found.sort(key=re.Match.start)
        return [f"{self.line(match.start())}: {match[0]}" for match in found[:1]]


class Modules:
    """The modules of a library or program by path, and the files of its test modules."""

    def __init__(self, files, root):
        self.files, self.paths, self.tests = files, {(): root}, set()
        todo = [((), root)]
        while todo:
            module, path = todo.pop()
            at_home = path == root or path.endswith("/mod.rs")
            folder = Path(path).parent if at_home else path[: -len(".rs")]
            for name in MODULE.findall(files[path].whole):
                for child in {f"{folder}/{name}.rs", f"{folder}/{name}/mod.rs"} & files.keys():
                    todo.append(((*module, name), child))
                    if path in self.tests or name in files[path].test_modules:
                        self.tests.add(child)
                    else:
                        self.paths[(*module, name)] = child

    def resolve(self, module, path, passed=()):
        """The module that defines what `path`, as written in `module`, leads to, whether the path
        ends at that module itself, and the modules that hand it on, each with its name there; None
        where it leads out of the crate."""
        at, steps = module, list(path)
        while steps and steps[0] in ("crate", "self", "super"):
            at = {"crate": (), "self": at, "super": at[:-1]}[steps.pop(0)]
        while steps and (*at, steps[0]) in self.paths:
            at = (*at, steps.pop(0))
        if not steps:
            return at, True, passed
        imported = self.files[self.paths[at]].imports.get(steps[0])
        if imported and (at, steps[0]) not in passed:
            found = self.resolve(at, imported + steps[1:], (*passed, (at, steps[0])))
            return found or (at, False, passed)
        return (at, False, passed) if len(steps) < len(path) else None

    def named(self, module, source):
        """Offset and path of all that a file names, but for what it merely hands on from below."""
        for offset, public, path, name in source.uses:
            found = public and self.resolve(module, path)
            from_below = found and found[0][: len(module)] == module
            if not from_below or re.search(rf"\b{re.escape(name)}\b", source.body):
                yield offset, path
        for match in INLINE_PATH.finditer(source.body):
            yield match.start(), re.findall(r"\w+", match[0])

    def arrows(self):
        """{(file, file that it needs): {line: names}}. To import a module is no need yet: what is
        named through it is. A child's use of its own parents is none either: it is a part of them. Who
        names what another file hands on needs that file too, unless it is a parent of the one that
        defines it, which hands on what is its own."""
        arrows = {}
        for module, path in self.paths.items():
            for offset, names in self.named(module, self.files[path]):
                found = self.resolve(module, names)
                if not found or found[1]:
                    continue
                by = {at for at, _ in found[2] if at != found[0][: len(at)]}
                for needed in {found[0], *by}:
                    if module[: len(needed)] != needed:
                        lines = arrows.setdefault((path, self.paths[needed]), {})
                        lines.setdefault(self.files[path].line(offset), set()).add(names[-1])
        return arrows


class Tree:
    """All Rust files of the project, from {path: text}; `sources` are those of its crates, without
    tests and testkit."""

    def __init__(self, texts):
        self.files = {path: Source(text) for path, text in sorted(texts.items())}
        root = re.compile(r"(crates/\w+/src|benches/\w+)/(lib|main)\.rs")
        self.crates = [Modules(self.files, path) for path in self.files if root.fullmatch(path)]
        tests = set().union(*(crate.tests for crate in self.crates))
        crates = re.compile(r"crates/(?!testkit/)\w+/src/")
        kept = [path for path in self.files if crates.match(path) and path not in tests]
        self.sources = {path: self.files[path] for path in kept}


def read(place):
    """The tree of a folder or of a commit."""
    if Path(place).is_dir():
        found = [path for top in ("crates", "benches") for path in Path(place, top).rglob("*.rs")]
        return Tree({path.relative_to(place).as_posix(): path.read_text() for path in found})
    packed = subprocess.run(["git", "archive", place, "crates", "benches"], check=True, stdout=-1)
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        found = [member for member in archive if member.name.endswith(".rs")]
        return Tree({one.name: archive.extractfile(one).read().decode() for one in found})
