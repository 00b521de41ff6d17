#!/bin/sh
# Gets what the real servers need; at once when all is there. Usage: ops/services/install.sh
#   MariaDB, Redis, Java, by programs.txt,
#   Maven, Go, Chromium (for tests of
#   the page)                         packages of Debian or Ubuntu, where this user may install them without a question
#   HBase and its Thrift gateway      jars from Maven Central, by ops/services/pom.xml, into .services/lib/hbase
#   versitygw, compose-check          Go programs, into .services/bin
# What cannot be got is said and left out: `make services` and the tests name it again.
set -u
cd "$(dirname "$0")/../.."
TOOLS="$PWD/.services"
VERSITYGW=v1.8.0
GO=go1.26.0
CHECK=$(cat ops/services/compose/* | cksum)
PATH="$PATH:/usr/sbin:/usr/local/sbin:/usr/local/go/bin"
FAILED=

has() { command -v "$1" >/dev/null 2>&1; }

lacks() { # lacks TEXT: remember and say it
    FAILED=yes
    echo "services: $1" >&2
}

packages() { # packages NAME…: install them, if this user may
    if ! has apt-get; then
        lacks "install with your system's packages: $*"
    elif [ "$(id -u)" = 0 ]; then
        install_packages env "$@"
    elif sudo -n true 2>/dev/null; then
        install_packages sudo "$@"
    else
        lacks "run: sudo apt-get install $*"
    fi
}

install_packages() { # install_packages env|sudo NAME…; RUNLEVEL=1: no server of the system is started
    as=$1
    shift
    echo "services: installing $*"
    log=$(mktemp)
    if ! { $as apt-get -q update && $as env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get -q -y \
        --no-install-recommends install "$@"; } >"$log" 2>&1; then
        lacks "apt-get install $* failed: $(tail -n 3 "$log")"
    fi
    rm -f "$log"
}

system_packages() {
    wanted=$(absent_programs | cut -d' ' -f3- | tr ' ' '\n' | sort -u | tr '\n' ' ')
    has chromium || has chromium-browser || has google-chrome || wanted="$wanted chromium"
    jars_there || has mvn || wanted="$wanted maven"
    programs_there || has go || wanted="$wanted golang-go"
    # shellcheck disable=SC2086
    [ -z "$wanted" ] || packages $wanted
    [ -n "$FAILED" ] || [ -z "$(absent_programs)" ] || lacks "still missing: $(absent_programs | cut -d' ' -f1,2 | tr '\n' ';')"
}

absent_programs() { # the lines of programs.txt whose program is not there
    grep -v '^#' ops/services/programs.txt | while read -r server program packages; do
        has "$program" || echo "$server $program $packages"
    done
}

jars_there() { [ "$(cat "$TOOLS/lib/hbase/.installed" 2>/dev/null)" = "$(cksum <ops/services/pom.xml)" ]; }

jars() {
    jars_there && return
    has mvn || { lacks "HBase: Maven is missing, so its jars cannot be fetched"; return; }
    echo "services: fetching HBase (108 MB)"
    rm -rf "$TOOLS/lib/hbase"
    mkdir -p "$TOOLS/lib/hbase"
    if mvn -q -B -f ops/services/pom.xml dependency:copy-dependencies -DoutputDirectory="$TOOLS/lib/hbase"; then
        cksum <ops/services/pom.xml >"$TOOLS/lib/hbase/.installed"
    else
        lacks "HBase: Maven could not fetch its jars (see above)"
    fi
}

newer_go() { # one older than 1.21, such as Debian 12's, does not fetch by itself the Go that a program needs
    has go && [ -z "$(go env GOTOOLCHAIN)" ] || return 0
    if [ "$(cat "$TOOLS/lib/go/.installed" 2>/dev/null)" != "$GO" ]; then
        echo "services: fetching $GO"
        cache=$(mktemp -d)
        name="golang.org/toolchain@v0.0.1-$GO.$(go env GOOS)-$(go env GOARCH)"
        if GOMODCACHE="$cache" GOFLAGS=-modcacherw go mod download "$name"; then
            rm -rf "$TOOLS/lib/go"
            mkdir -p "$TOOLS/lib"
            mv "$cache/$name" "$TOOLS/lib/go"
            chmod +x "$TOOLS"/lib/go/bin/* "$TOOLS"/lib/go/pkg/tool/*/*
            echo "$GO" >"$TOOLS/lib/go/.installed"
        else
            lacks "$GO cannot be fetched (see above), and $(go version) is too old (https://go.dev/dl)"
        fi
        rm -rf "$cache"
    fi
    unset GOROOT
    PATH="$TOOLS/lib/go/bin:$PATH"
}

program_there() { [ -x "$TOOLS/bin/$1" ] && [ "$(cat "$TOOLS/bin/.$1" 2>/dev/null)" = "$2" ]; }

programs_there() { program_there versitygw "$VERSITYGW" && program_there compose-check "$CHECK"; }

program() { # program NAME VERSION COMMAND…: has the command build NAME into the folder $GOBIN
    name=$1 version=$2
    shift 2
    program_there "$name" "$version" && return
    has go || { lacks "$name: Go is missing (https://go.dev/dl), so it cannot be built"; return; }
    echo "services: building $name (a minute or two)"
    GOBIN=$(mktemp -d)
    export GOBIN
    if "$@" >"$GOBIN/log" 2>&1; then
        mkdir -p "$TOOLS/bin"
        mv "$GOBIN/$name" "$TOOLS/bin/$name"
        echo "$version" >"$TOOLS/bin/.$name"
    else
        lacks "$name: it cannot be built: $(tail -n 3 "$GOBIN/log")"
    fi
    rm -rf "$GOBIN"
}

# Two runs at once, of `make test` and `make services`, say, take turns.
mkdir -p "$TOOLS"
if has flock; then
    exec 9>"$TOOLS/install.lock"
    flock 9
fi
system_packages
jars
programs_there || newer_go
program versitygw "$VERSITYGW" go install "github.com/versity/versitygw/cmd/versitygw@$VERSITYGW"
program compose-check "$CHECK" go -C ops/services/compose install .
[ -n "$FAILED" ] || echo "services: all programs are there"
