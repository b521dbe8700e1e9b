# rendered by meshgen from mesh.yaml: change it there

# provider
api_fingerprint      = "00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff"
api_private_key_path = "~/.oci/oci_rsa.pem"
home_region          = "sydney"
tenancy_id           = "ocid1.tenancy.oc1..example"
user_id              = "ocid1.user.oc1..example"
compartment_id       = "ocid1.compartment.oc1..example"

# ssh
ssh_private_key_path = "~/.ssh/id_rsa"
ssh_public_key_path  = "~/.ssh/id_rsa.pub"

# clusters
clusters = {
  c1 = { region = "sydney", vcn = "10.1.0.0/16", pods = "10.201.0.0/16", services = "10.101.0.0/16", enabled = true }
  c2 = { region = "melbourne", vcn = "10.2.0.0/16", pods = "10.202.0.0/16", services = "10.102.0.0/16", enabled = true }
}
kubernetes_version = "v1.28.2"
cluster_type       = "basic"
oke_control_plane  = "private"
preferred_cni      = "flannel"

# node pools
nodepools = {
  np1 = {
    shape            = "VM.Standard.E4.Flex"
    ocpus            = 2
    memory           = 64
    size             = 2
    boot_volume_size = 150
  }
}

# istio
istio_version = "1.20.2"
istio_mesh_id = "apac"
