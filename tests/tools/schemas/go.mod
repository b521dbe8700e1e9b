// Modules whose files are published schemas: CycloneDX's, and Argo CD's definitions, under Apache-2.0
// both. Nothing here is compiled, and nothing of theirs is in the repository.
module meshgen.dev/tests/tools/schemas

go 1.26.0

require (
	github.com/CycloneDX/cyclonedx-go v0.12.0
	github.com/argoproj/argo-cd/v3 v3.5.0
)
