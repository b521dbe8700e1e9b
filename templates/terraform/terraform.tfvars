{#- Variables of the OKE example's Terraform module. A variable that mesh.yaml leaves out is left out
    here as well, and Terraform takes it from TF_VAR_…. What stands in a row is aligned afterwards, as
    `terraform fmt` does. -#}
# rendered by meshgen from mesh.yaml: change it there
{%- for title, variables in [
  ["provider", [
    ["api_fingerprint", terraform.apiFingerprint],
    ["api_private_key_path", terraform.apiPrivateKeyPath],
    ["home_region", home_region],
    ["tenancy_id", terraform.tenancyId],
    ["user_id", terraform.userId],
    ["compartment_id", terraform.compartmentId],
  ]],
  ["ssh", [
    ["ssh_private_key_path", terraform.sshPrivateKeyPath],
    ["ssh_public_key_path", terraform.sshPublicKeyPath],
  ]],
] %}
{%- for name, value in variables if value is not none %}
{%- if loop.first %}

# {{ title | key }}
{%- endif %}
{{ name | key }} = {{ value }}
{%- endfor %}
{%- endfor %}

# clusters
clusters = {
{%- for cluster in clusters %}
  {{ cluster.name | key }} = { region = {{ cluster.region }}, vcn = {{ cluster.vcn }}, pods = {{ cluster.pods }}, services = {{ cluster.services }}, enabled = {{ cluster.enabled }} }
{%- endfor %}
}
{%- for name, value in [
  ["kubernetes_version", kubernetes_version],
  ["cluster_type", terraform.clusterType],
  ["oke_control_plane", terraform.controlPlane],
  ["preferred_cni", terraform.preferredCni],
] if value is not none %}
{{ name | key }} = {{ value }}
{%- endfor %}
{%- if terraform.nodepools %}

# node pools
nodepools = {
{%- for name, pool in terraform.nodepools | items %}
  {{ name | key }} = {
{%- for setting, value in [
  ["shape", pool.shape],
  ["ocpus", pool.ocpus],
  ["memory", pool.memory],
  ["size", pool.size],
  ["boot_volume_size", pool.bootVolumeSize],
] if value is not none %}
    {{ setting | key }} = {{ value }}
{%- endfor %}
  }
{%- endfor %}
}
{%- endif %}
{%- for name, value in [
  ["istio_version", istio_version],
  ["istio_mesh_id", mesh_id],
] if value is not none %}
{%- if loop.first %}

# istio
{%- endif %}
{{ name | key }} = {{ value }}
{%- endfor %}
