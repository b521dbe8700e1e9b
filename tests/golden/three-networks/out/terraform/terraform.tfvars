# rendered by meshgen from mesh.yaml: change it there

# provider
tenancy_id = "ocid1.tenancy.oc1..$${x}\"\\\n%%{if}é"

# clusters
clusters = {
  a1 = { region = "sydney", vcn = "10.1.0.0/16", pods = "10.201.0.0/16", services = "10.101.0.0/16", enabled = true }
  b2 = { region = "melbourne", vcn = "10.2.0.0/16", pods = "10.202.0.0/16", services = "10.101.0.0/16", enabled = true }
  on = { region = "tokyo", vcn = "10.3.0.0/16", pods = "10.203.0.0/16", services = "10.101.0.0/16", enabled = true }
}
kubernetes_version = "v1.29.1"
cluster_type       = "basic"
oke_control_plane  = "private"
preferred_cni      = "flannel"

# node pools
nodepools = {
  "np 1" = {
    shape = "VM.Standard.E4.Flex"
    ocpus = 2
  }
}

# istio
istio_version = "1.24.2"
istio_mesh_id = "0644"
