//! The certificates of one cluster, made in a few milliseconds.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, RsaKeySize,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A certificate and its key, as PEM.
#[derive(Clone)]
pub struct Identity {
    pub certificate: String,
    pub key: String,
}

impl Identity {
    /// What rustls takes.
    pub fn der(&self) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        let certificate = CertificateDer::from_pem_slice(self.certificate.as_bytes());
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes());
        (vec![certificate.expect("a certificate")], key.expect("a key"))
    }
}

/// A CA.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its certificate and its key.
    pub identity: Identity,
}

impl Authority {
    /// A new CA of this name.
    pub fn new(name: &str) -> Self {
        let key = key();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key).expect("a CA signs itself");
        let identity = Identity { certificate: certificate.pem(), key: key.serialize_pem() };
        Self { issuer: Issuer::new(params, key), identity }
    }

    /// A server certificate for these names and addresses.
    pub fn server(&self, names: &[&str]) -> Identity {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names.clone()).expect("names and addresses");
        params.distinguished_name.push(DnType::CommonName, names[0].as_str());
        self.sign(params, ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// A client certificate. Kubernetes takes the common name for the user and each organisation for
    /// a group; rcgen can write two at most.
    pub fn client(&self, user: &str, groups: &[&str]) -> Identity {
        assert!(groups.len() <= 2, "a client certificate holds two groups at most");
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, user);
        let kinds = [DnType::OrganizationName, DnType::CustomDnType(vec![2, 5, 4, 10])];
        for (kind, group) in kinds.into_iter().zip(groups) {
            params.distinguished_name.push(kind, *group);
        }
        self.sign(params, ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn sign(&self, mut params: CertificateParams, purpose: ExtendedKeyUsagePurpose) -> Identity {
        let key = key();
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![purpose];
        let certificate = params.signed_by(&key, &self.issuer).expect("the CA signs");
        Identity { certificate: certificate.pem(), key: key.serialize_pem() }
    }
}

/// A new ECDSA key.
pub fn key() -> KeyPair {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key")
}

/// A new key for tokens of accounts: RSA as nearly every cluster has it. It signs the same text with
/// the same bytes each time, so that a token without a date is made again byte for byte.
pub fn account_key() -> KeyPair {
    KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).expect("a key")
}

/// A kubeconfig with one context; cluster and user are named after it, so that files can be merged.
pub fn kubeconfig(context: &str, server: &str, ca: &str, who: &Identity) -> String {
    let base64 = |text: &str| STANDARD.encode(text);
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: {context}\n\
         clusters:\n- name: {context}\n  cluster:\n    server: {server}\n    \
         certificate-authority-data: {}\n\
         users:\n- name: {context}\n  user:\n    client-certificate-data: {}\n    \
         client-key-data: {}\n\
         contexts:\n- name: {context}\n  context:\n    cluster: {context}\n    user: {context}\n",
        base64(ca),
        base64(&who.certificate),
        base64(&who.key),
    )
}
