{#- Variables of the OKE example's Terraform module. A variable that mesh.yaml leaves out is left out
    here as well, and Terraform takes it from TF_VAR_…. What stands in a row is aligned afterwards, as
    `terraform fmt` does. -#}
{%- macro variables(all) -%}
{%- for name, value in all if value is not none %}
{{ name }} = {{ value }}
{%- endfor %}
{%- endmacro -%}
{%- macro section(title, all) -%}
{%- for name, value in all if value is not none %}
{%- if loop.first %}

# {{ title | key }}
{%- endif %}
{{ name }} = {{ value }}
{%- endfor %}
{%- endmacro -%}
# rendered by meshgen from mesh.yaml: change it there
{{- section("provider", [
  ["api_fingerprint" | key, terraform.apiFingerprint],
  ["api_private_key_path" | key, terraform.apiPrivateKeyPath],
  ["home_region" | key, home_region],
  ["tenancy_id" | key, terraform.tenancyId],
  ["user_id" | key, terraform.userId],
  ["compartment_id" | key, terraform.compartmentId],
]) }}
{{- section("ssh", [
  ["ssh_private_key_path" | key, terraform.sshPrivateKeyPath],
  ["ssh_public_key_path" | key, terraform.sshPublicKeyPath],
]) }}

# clusters
clusters = {
{%- for cluster in clusters %}
  {{ cluster.name | key }} = { region = {{ cluster.region }}, vcn = {{ cluster.vcn }}, pods = {{ cluster.pods }}, services = {{ cluster.services }}, enabled = {{ cluster.enabled }} }
{%- endfor %}
}
{{- variables([
  ["kubernetes_version" | key, kubernetes_version],
  ["cluster_type" | key, terraform.clusterType],
  ["oke_control_plane" | key, terraform.controlPlane],
  ["preferred_cni" | key, terraform.preferredCni],
]) }}
{%- if terraform.nodepools %}

# node pools
nodepools = {
{%- for name, pool in terraform.nodepools | items %}
  {{ name | key }} = {
{%- for setting, value in [
  ["shape" | key, pool.shape],
  ["ocpus" | key, pool.ocpus],
  ["memory" | key, pool.memory],
  ["size" | key, pool.size],
  ["boot_volume_size" | key, pool.bootVolumeSize],
] if value is not none %}
    {{ setting }} = {{ value }}
{%- endfor %}
  }
{%- endfor %}
}
{%- endif %}
{{- section("istio", [
  ["istio_version" | key, istio_version],
  ["istio_mesh_id" | key, mesh_id],
]) }}
