# shellcheck shell=bash
# Sourced by ./run, ./test and .ci/run: leaves a .venv beside this file that holds exactly what
# requirements.lock names, and the project itself. Speaks on stderr only, so that what the
# programs print can be read by other programs.
#
# The stamp is removed before anything is changed and written as the last step: a set-up that
# failed or was interrupted is done again from nothing the next time.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
venv=$root/.venv
stamp=$venv/.complete

say() { printf 'softclose: %s\n' "$*" >&2; }

fail() {
    say "$*"
    exit 1
}

# install_debian PACKAGE...: what only the system can provide. Elsewhere the person is told.
install_debian() {
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        fail "needs system packages: as root, run: apt-get install $*"
    fi
    say "installing $* with apt-get"
    apt_install "$@" || { apt-get update -qq >&2 && apt_install "$@"; } ||
        fail "apt-get could not install: $*"
}

apt_install() {
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
        -o Dpkg::Use-Pty=0 "$@" >/dev/null
}

find_python() {
    local candidate
    for candidate in "${PYTHON:-python3}" python3.14 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            printf '%s' "$candidate"
            return
        fi
    done
    fail "needs Python 3.11 or later; say which with PYTHON=/path/to/python3"
}

# Debian keeps what venv needs in a package of its own.
make_venv() {
    local python=$1
    rm -rf "$venv"
    "$python" -c 'import ensurepip' 2>/dev/null || install_debian python3-venv
    "$python" -m venv "$venv" >&2
}

# The lock's own entry for uv, so that it too comes with a known hash.
install_uv() {
    local entry=$venv/uv.lock.txt
    awk '/^[^ ]/ { wanted = /^uv==/ } wanted' "$root/requirements.lock" >"$entry"
    "$venv/bin/python" -m pip install -q --disable-pip-version-check --require-hashes -r "$entry" >&2
}

install_with_uv() {
    [ -x "$venv/bin/uv" ] || install_uv || return 1
    export VIRTUAL_ENV=$venv
    "$venv/bin/uv" pip install -q --require-hashes -r "$root/requirements.lock" >&2 &&
        "$venv/bin/uv" pip install -q --no-deps --no-build-isolation -e "$root" >&2
}

install_with_pip() {
    local pip=("$venv/bin/python" -m pip install -q --disable-pip-version-check)
    "${pip[@]}" --require-hashes -r "$root/requirements.lock" >&2 &&
        "${pip[@]}" --no-deps --no-build-isolation -e "$root" >&2
}

# The folder's path counts: a copied .venv points to where it came from.
wanted_stamp() {
    { printf '%s\n' "$root"; cat "$root/requirements.lock" "$root/pyproject.toml"; } | sha256sum
}

set_up() {
    local python
    [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(wanted_stamp)" ] && return
    python=$(find_python) || exit 1
    say "setting up $venv (once; takes a quarter of a minute)"
    if [ ! -f "$stamp" ]; then make_venv "$python" || fail "could not make $venv"; fi
    rm -f "$stamp"
    if ! install_with_uv; then
        say "uv did not manage; trying pip, which takes longer"
        install_with_pip || fail "could not install what requirements.lock names; is PyPI reachable?"
    fi
    wanted_stamp >"$stamp"
}

# The inner loop of fan-out, if there is a C compiler; without one the same is done in Python.
compile_sender() {
    local source=$root/bidder_gateway/send_all.c library=$root/bidder_gateway/send_all.so
    if [ "$library" -nt "$source" ] || ! command -v cc >/dev/null; then return; fi
    if cc -std=c11 -O2 -shared -fPIC -o "$library.$$" "$source" 2>/dev/null; then
        mv "$library.$$" "$library"
    else
        say "cc could not compile $source (are libc's headers installed?); Python does its work"
    fi
}

# Two commands started at once on a fresh checkout must not set up the same folder together.
set_up_alone() {
    if command -v flock >/dev/null; then
        exec 9>"$root/.setup.lock"
        flock 9
        { set_up && compile_sender; } 9>&-
        exec 9>&-
    else
        set_up && compile_sender
    fi
}

set_up_alone
