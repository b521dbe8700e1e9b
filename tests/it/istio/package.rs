//! A release with charts of a few lines.

use std::collections::BTreeMap;

use meshgen::istio::Package;

const PROFILE: &str = "\
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {namespace: istio-system}
spec:
  hub: example.org
  tag: latest
  components:
    base: {enabled: true}
    pilot: {enabled: true}
    ingressGateways: [{name: istio-ingressgateway, enabled: true}]
    egressGateways: [{name: istio-egressgateway, enabled: false}]
  values:
    global: {istioNamespace: istio-system, oldKey: 1}
    gateways: {istio-ingressgateway: {}, istio-egressgateway: {}}
";

const BASE: &str = "\
apiVersion: v1
kind: ServiceAccount
metadata: {name: reader, namespace: {{ .Release.Namespace }}}
---
# nothing here
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.org}
";

const PILOT: &str = "\
{{- $name := \"istiod\" }}{{ with .Values.revision }}{{ $name = printf \"istiod-%s\" . }}{{ end }}
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ $name }}, namespace: {{ .Release.Namespace }}}
spec:
  strategy: {rollingUpdate: {maxSurge: 100%}}
  template:
    metadata: {annotations: {a: b}}
    spec:
      tolerations: [{key: old, operator: Exists}]
      containers:
      - name: discovery
        image: {{ .Values.global.hub }}/pilot:{{ .Values.pilot.tag | default .Values.global.tag }}
        args: [discovery, --domain, cluster.local]
        env:
        - {name: A, value: \"1\"}
        - {name: B, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
        - {name: C, value: \"3\"}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: {{ $name }}}
spec: {minAvailable: 1}
---
apiVersion: v1
kind: Service
metadata: {name: {{ $name }}}
spec:
  ports:
  - {name: grpc-xds, port: 15010}
  - {name: https-dns, port: 15012}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: values}
data:
  values: {{ .Values | toJson | quote }}
";

const NOTES: &str = "WARNING: this is old\nand this is not\n";

const GATEWAY: &str = "\
{{- $gateway := index .Values.gateways \"istio-ingressgateway\" }}
apiVersion: v1
kind: Service
metadata:
  name: {{ $gateway.name }}
  namespace: {{ .Release.Namespace }}
  labels: {{ $gateway.labels | toJson }}
spec:
  ports:
{{ range $port := $gateway.ports }}  - {{ $port | toJson }}
{{ end }}";

/// The package.
pub fn package() -> Package {
    let files = files();
    let files = files.into_iter().map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()));
    Package::new(files.collect::<BTreeMap<_, _>>())
}

/// Its files: path and text.
pub fn files() -> [(&'static str, &'static str); 10] {
    [
        ("profiles/default.yaml", PROFILE),
        ("profiles/small.yaml", "spec: {components: {ingressGateways: [{enabled: false}]}}\n"),
        ("charts/base/Chart.yaml", "{apiVersion: v2, name: base, version: 1.0.0}\n"),
        ("charts/base/templates/base.yaml", BASE),
        (
            "charts/istio-control/istio-discovery/Chart.yaml",
            "{apiVersion: v2, name: istiod, version: 1.0.0}\n",
        ),
        (
            "charts/istio-control/istio-discovery/values.yaml",
            "_internal_defaults_do_not_set: {replicas: 1, global: {hub: chart.example.org}}\n",
        ),
        ("charts/istio-control/istio-discovery/templates/all.yaml", PILOT),
        ("charts/istio-control/istio-discovery/templates/NOTES.txt", NOTES),
        (
            "charts/gateways/istio-ingress/Chart.yaml",
            "{apiVersion: v2, name: istio-ingress, version: 1.0.0}\n",
        ),
        ("charts/gateways/istio-ingress/templates/service.yaml", GATEWAY),
    ]
}
