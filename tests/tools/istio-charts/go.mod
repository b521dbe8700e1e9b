// The modules whose `manifests` folders hold the charts and profiles of older releases. One module
// holds a module once, so each stands under a name of its own; nothing here is compiled.
module meshgen.dev/tests/tools/istio-charts

go 1.26.0

require (
	meshgen.dev/istio-1.24 v0.0.0
	meshgen.dev/istio-1.26 v0.0.0
	meshgen.dev/istio-1.30 v0.0.0
)

replace (
	meshgen.dev/istio-1.24 => istio.io/istio v0.0.0-20241105211601-8825a6b7f8c9
	meshgen.dev/istio-1.26 => istio.io/istio v0.0.0-20250506181944-c2e9871f340c
	meshgen.dev/istio-1.30 => istio.io/istio v0.0.0-20260423205519-b01690e6db7d
)
