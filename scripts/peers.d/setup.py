"""What the peers need on the machine, and what the machine is."""

import os
import pathlib
import shutil
import subprocess
import sys

NCHAN_MODULE = pathlib.Path("/usr/lib/nginx/modules/ngx_nchan_module.so")
PACKAGES = {
    "nginx": "nginx-core", "nchan": "libnginx-mod-nchan", "wrk": "wrk",
    "h2load": "nghttp2-client", "tsung": "tsung", "openssl": "openssl", "node": "nodejs",
    "ws": "node-ws",
}
# Where Debian has Node's packages, for a Node that is not Debian's.
NODE_PATH = "/usr/share/nodejs"
VERSIONS = {
    "nginx": ["nginx", "-v"], "wrk": ["wrk", "-v"], "h2load": ["h2load", "--version"],
    "tsung": ["tsung", "-v"], "openssl": ["openssl", "version"], "node": ["node", "--version"],
    "ws": ["node", "-p", "require('ws/package.json').version"],
}


def node_environment():
    """One in which Node finds Debian's packages, behind those that it was told of."""
    paths = [os.environ.get("NODE_PATH"), NODE_PATH]
    return {**os.environ, "NODE_PATH": ":".join(path for path in paths if path)}


def present(name):
    if name == "nchan":
        return NCHAN_MODULE.exists()
    if name == "ws":
        command = ["node", "-e", "require('ws')"]
        options = {"env": node_environment(), "capture_output": True, "check": False}
        return present("node") and subprocess.run(command, **options).returncode == 0
    return shutil.which(name) is not None


def install_missing():
    """The peers that are missing, and stay so."""
    missing = [name for name in PACKAGES if not present(name)]
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        packages = [PACKAGES[name] for name in missing]
        print(f"installing {' '.join(packages)}", file=sys.stderr)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
            subprocess.run(
                ["apt-get", *command], env=environment, stdout=subprocess.DEVNULL, check=False
            )
    missing = [name for name in PACKAGES if not present(name)]
    for name in missing:
        print(f"MISSING {name} (Debian package {PACKAGES[name]})", file=sys.stderr)
    return missing


def built_binary(root):
    subprocess.run(
        ["cargo", "build", "--release", "--locked", "-p", "pushbench"], cwd=root, check=True
    )
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", root / "target"))
    return str(target / "release" / "pushbench")


def said(command):
    """The first line that a program says, wherever it says it."""
    try:
        options = {"capture_output": True, "text": True, "env": node_environment()}
        output = subprocess.run(command, timeout=10, check=False, **options)
    except OSError:
        return ""
    return ((output.stdout + output.stderr).strip().splitlines() or [""])[0]


def nchan_version():
    query = ["dpkg-query", "-W", "-f", "${Version}", PACKAGES["nchan"]]
    return said(query) if shutil.which("dpkg-query") else ""


def machine(binary):
    """What was measured, with which versions, on what."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        models = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    lines = {"pushbench": said([binary, "--version"]), "nchan": nchan_version()}
    lines |= {name: said(command) for name, command in VERSIONS.items() if present(name)}
    lines["kernel"] = os.uname().release
    lines["processor"] = f"{len(os.sched_getaffinity(0))} cores, {models[0] if models else ''}"
    lines["load average at the end"] = " ".join(f"{load:.1f}" for load in os.getloadavg())
    return lines
