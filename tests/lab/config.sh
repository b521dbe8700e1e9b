# Settings shared by the lab's scripts. Sourced by each; override by exporting.
# shellcheck shell=bash disable=SC2034
LAB_SRC=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
LAB_TOOLS=$LAB_SRC/../tools         # the modules that pin Kubernetes, etcd and Istio
: "${LAB_HOME:=${XDG_CACHE_HOME:-$HOME/.cache}/mesh-lab}"  # binaries, image store: made by setup, kept
: "${LAB_RUN:=$LAB_HOME/run}"       # state of a running lab: made by up, removed by down
: "${LAB_TESTBED:=${XDG_CACHE_HOME:-$HOME/.cache}/meshgen-testbed}"  # where tests/it/tool.rs keeps what it built
: "${MESHGEN:=$LAB_SRC/../../target/release/meshgen}"
: "${LAB_COMPAT:=1}"               # 1: up keeps the mesh-wide Telemetry that a vanilla Envoy needs

# pinned FAMILY MODULE: the version that tests/tools/FAMILY has of it
pinned() { sed -nE "s|^(require)?[[:space:]]+$2 (v[^ ]*).*|\2|p" "$LAB_TOOLS/$1/go.mod" | head -1; }
K8S_VERSION=$(pinned kubernetes k8s.io/kubernetes)
ISTIO_VERSION=$(pinned istio istio.io/istio)
COREDNS_VERSION=v1.14.7
ENVOY_VERSION=1.40.0

: "${CLUSTERS:=c1 c2}"              # any of c1 to c7: addresses follow from the number
BRIDGE=lab-br
BRIDGE_IP=172.31.0.1
REGISTRY=$BRIDGE_IP:5000
export PATH=/usr/local/go/bin:$PATH
LAB_BIN=$LAB_HOME/bin
IMAGES=$LAB_HOME/images
KUBECONFIG_OUT=$LAB_RUN/kubeconfig
PROJECT=$LAB_RUN/project            # the meshgen project of the running lab: made by mesh
IDENTITY=$LAB_RUN/identity.txt      # opens its keys

# per cluster: cl c1 -> sets CL NS D NODE_IP POD_CIDR SVC_NET LB_FIRST
cl() {
  case $1 in c[1-7]) ;; *) echo "unknown cluster $1 (c1 to c7)" >&2; return 1 ;; esac
  local n=${1#c}
  CL=$1 NS=lab-$1 D=$LAB_RUN/$1
  NODE_IP=172.31.0.$((10 + n)) POD_CIDR=10.${n}1.0.0/16 SVC_NET=10.${n}2.0 LB_FIRST=$((81 + 20 * n))
}

say() { printf '%s %s\n' "$(date +%T)" "$*"; }
die() { say "ERROR: $*" >&2; exit 1; }

# kc c1 ARGS...: kubectl against one cluster
kc() { local c=$1; shift; "$LAB_BIN/kubectl" --kubeconfig="$KUBECONFIG_OUT" --context="$c" "$@"; }

# mg ARGS...: meshgen in the lab's project, with nothing on its path but what a plain system has
mg() {
  local key=(); [ -s "$IDENTITY" ] && key=(SOPS_AGE_KEY_FILE="$IDENTITY")
  env -i PATH=/usr/bin:/bin HOME="$LAB_RUN" KUBECONFIG="$KUBECONFIG_OUT" "${key[@]}" "$MESHGEN" -C "$PROJECT" "$@"
}

# istio_module: the folder of the Istio that istiod is built from
istio_module() { (cd "$LAB_TOOLS/istio" && go mod download -json istio.io/istio) | sed -n 's/.*"Dir": "\(.*\)".*/\1/p'; }

# retry SECONDS WHAT COMMAND...: try twice a second until it succeeds
retry() {
  local end=$((SECONDS + $1)) what=$2; shift 2
  while [ $SECONDS -lt $end ]; do "$@" >/dev/null 2>&1 && return 0; sleep 0.5; done
  say "gave up waiting for $what" >&2; "$@" >&2; return 1
}

# start NAME COMMAND...: a daemon with a pid file and a log, in this network namespace
start() {
  local name=$1; shift
  mkdir -p "$LAB_RUN/pids" "$LAB_RUN/log"
  setsid "$@" >"$LAB_RUN/log/$name.log" 2>&1 </dev/null &
  echo $! >"$LAB_RUN/pids/$name.pid"
}
alive() { [ -f "$LAB_RUN/pids/$1.pid" ] && kill -0 "$(cat "$LAB_RUN/pids/$1.pid")" 2>/dev/null; }

# in the node's network namespace; nsenter, not "ip netns exec", which would
# remount /sys and so hide the cgroup v1 hierarchies
node() { nsenter --net="/run/netns/$NS" "$@"; }
