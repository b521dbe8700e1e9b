# rendered by meshgen from mesh.yaml: change it there

# clusters
clusters = {
  c1 = { region = "sydney", vcn = "10.1.0.0/16", pods = "10.201.0.0/16", services = "10.101.0.0/16", enabled = true }
  c2 = { region = "melbourne", vcn = "10.2.0.0/16", pods = "10.202.0.0/16", services = "10.102.0.0/16", enabled = true }
}
kubernetes_version = "v1.33.1"
cluster_type       = "basic"
oke_control_plane  = "private"
preferred_cni      = "flannel"

# istio
istio_version = "1.30.0"
istio_mesh_id = "planes"
