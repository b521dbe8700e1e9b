//! Certificates: the same as those that Istio's makefiles make with openssl.

use std::path::Path;

use meshgen::pki::{Algorithm, Certificate, Pair, PrivateKey, certificate, mint};
use time::OffsetDateTime;

use super::{Bench, days, now};
use crate::tool;

/// `root-ca.conf` as `tools/certs/common.mk` of Istio prints it with its defaults.
const ROOT_CONF: &str = "\
[ req ]
encrypt_key = no
prompt = no
utf8 = yes
default_md = sha256
default_bits = 4096
req_extensions = req_ext
x509_extensions = req_ext
distinguished_name = req_dn
[ req_ext ]
subjectKeyIdentifier = hash
basicConstraints = critical, CA:true
keyUsage = critical, digitalSignature, nonRepudiation, keyEncipherment, keyCertSign
[ req_dn ]
O = Istio
CN = Root CA
";

/// `c1/intermediate.conf`, likewise.
const INTERMEDIATE_CONF: &str = "\
[ req ]
encrypt_key = no
prompt = no
utf8 = yes
default_md = sha256
default_bits = 4096
req_extensions = req_ext
x509_extensions = req_ext
distinguished_name = req_dn
[ req_ext ]
subjectKeyIdentifier = hash
basicConstraints = critical, CA:true, pathlen:0
keyUsage = critical, digitalSignature, nonRepudiation, keyEncipherment, keyCertSign
subjectAltName=@san
[ san ]
DNS.1 = istiod.istio-system.svc
[ req_dn ]
O = Istio
CN = Intermediate CA
L = c1
";

fn chain(algorithm: Algorithm, now: OffsetDateTime) -> (Pair, Pair) {
    let root = mint::root(algorithm, 3650, now).expect("a root");
    let made = mint::intermediate("c1", algorithm, 3650, now, &root.certificate, &root.key);
    (root, made.expect("an intermediate"))
}

/// Runs the commands of `Makefile.selfsigned.mk` with keys of ours.
fn openssl_chain(bench: &Bench, openssl: &Path) {
    bench.write("root-ca.conf", ROOT_CONF);
    bench.write("intermediate.conf", INTERMEDIATE_CONF);
    let run = |arguments| bench.run(openssl, arguments);
    run("req -sha256 -new -key root-key.pem -config root-ca.conf -out root-cert.csr");
    run(
        "x509 -req -sha256 -days 3650 -signkey root-key.pem -extensions req_ext -extfile root-ca.conf -in root-cert.csr -out root-cert.pem",
    );
    run("req -sha256 -new -config intermediate.conf -key ca-key.pem -out cluster-ca.csr");
    run(
        "x509 -req -sha256 -days 3650 -CA root-cert.pem -CAkey root-key.pem -CAcreateserial -extensions req_ext -extfile intermediate.conf -in cluster-ca.csr -out ca-cert.pem",
    );
}

#[test]
fn certificates_equal_those_of_istios_makefiles() {
    let Some(openssl) = tool::path("openssl") else { return };
    for algorithm in [Algorithm::EcdsaP256, Algorithm::Rsa4096] {
        let bench = Bench::new();
        let (root, intermediate) = chain(algorithm, now());
        bench.write("root-key.pem", root.key.pem().expose());
        bench.write("ca-key.pem", intermediate.key.pem().expose());
        bench.write("our-root.pem", &root.certificate.pem());
        bench.write("our-ca.pem", &intermediate.certificate.pem());
        openssl_chain(&bench, &openssl);
        // everything is printed but what no two certificates share
        let text = |file: &str| {
            let options = "-noout -text -certopt no_serial,no_validity,no_sigdump -nameopt multiline,show_type";
            bench.run(&openssl, &format!("x509 -in {file} {options}"))
        };
        assert_eq!(text("our-root.pem"), text("root-cert.pem"), "{algorithm:?}");
        assert_eq!(text("our-ca.pem"), text("ca-cert.pem"), "{algorithm:?}");
        assert!(text("our-ca.pem").contains("UTF8STRING:c1"));
        // and the extensions to the byte, in their order
        let extensions = |file: &str| {
            let all = bench.run(&openssl, &format!("asn1parse -in {file}"));
            let values =
                all.lines().filter(|line| line.contains("OCTET STRING") || line.contains("X509v3"));
            values
                .map(|line| {
                    line.split_once(':')
                        .unwrap_or_default()
                        .1
                        .split_once("prim")
                        .unwrap_or_default()
                        .1
                        .to_owned()
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(extensions("our-ca.pem"), extensions("ca-cert.pem"), "{algorithm:?}");
        assert_eq!(extensions("our-ca.pem").len(), 10, "five names and five values");
        let purpose =
            format!("verify -attime {} -CAfile our-root.pem our-ca.pem", now().unix_timestamp());
        assert!(bench.run(&openssl, &purpose).contains("our-ca.pem: OK"));
    }
}

#[test]
fn openssl_reads_the_same_from_a_certificate() {
    let Some(openssl) = tool::path("openssl") else { return };
    let bench = Bench::new();
    let (_, intermediate) = chain(Algorithm::EcdsaP256, now());
    bench.write("ca.pem", &intermediate.certificate.pem());
    let info = certificate::describe(&intermediate.certificate.pem()).expect("a certificate");
    let print = |what: &str| bench.run(&openssl, &format!("x509 -in ca.pem -noout {what}"));
    assert_eq!(print("-serial").trim(), format!("serial={}", info.serial));
    let fingerprint = print("-fingerprint -sha256");
    assert_eq!(fingerprint.trim().split_once('=').expect("a pair").1, info.fingerprint);
    let dates = print("-startdate -enddate -dateopt iso_8601");
    let expected = format!(
        "notBefore={}\nnotAfter={}\n",
        certificate::date(info.not_before),
        certificate::date(info.not_after)
    );
    assert_eq!(dates, expected);
    assert_eq!(info.subject, "O=Istio, CN=Intermediate CA, L=c1");
    assert_eq!(info.issuer, "O=Istio, CN=Root CA");
    assert_eq!(info.key, "ECDSA P-256");
    assert_eq!(info.names, ["DNS:istiod.istio-system.svc"]);
    assert_eq!((info.is_authority, info.path_length), (true, Some(0)));
}

#[test]
fn certificates_begin_an_hour_back_and_no_intermediate_outlives_the_root() {
    let root = mint::root(Algorithm::EcdsaP256, 3650, now()).expect("a root");
    assert_eq!(root.certificate.info().not_before, now() - days(1) / 24);
    assert_eq!(root.certificate.info().not_after, now() + days(3650));
    let later = now() + days(3000);
    let intermediate = |days, at| {
        mint::intermediate("c1", Algorithm::EcdsaP256, days, at, &root.certificate, &root.key)
    };
    let cut = intermediate(3650, later).expect("an intermediate");
    assert_eq!(cut.certificate.info().not_after, root.certificate.info().not_after);
    let short = intermediate(30, later).expect("an intermediate");
    assert_eq!(short.certificate.info().not_after, later + days(30));
    let expired = intermediate(30, now() + days(3651)).err().expect("refused").to_string();
    assert!(expired.contains("the root expired on 2036-11-21 12:00:00Z"), "{expired}");
    for days in [0, u32::MAX] {
        let refused = mint::root(Algorithm::EcdsaP256, days, now()).err().expect("refused");
        assert!(refused.to_string().contains(&days.to_string()), "{refused}");
    }
}

#[test]
fn serials_are_random_positive_and_of_128_bits() {
    let serials: std::collections::BTreeSet<_> = (0..50)
        .map(|_| mint::root(Algorithm::EcdsaP256, 1, now()).expect("a root"))
        .map(|root| root.certificate.info().serial.clone())
        .collect();
    assert_eq!(serials.len(), 50);
    assert!(
        serials.iter().all(|serial| serial.len() == 32 && serial.as_str() < "8"),
        "{serials:?}"
    );
}

#[test]
fn only_the_roots_own_key_signs() {
    let (root, intermediate) = chain(Algorithm::EcdsaP256, now());
    let (other, _) = chain(Algorithm::EcdsaP256, now());
    let made = |root: &Certificate, key: &PrivateKey| {
        mint::intermediate("c2", Algorithm::EcdsaP256, 30, now(), root, key)
            .err()
            .expect("refused")
            .to_string()
    };
    assert!(made(&root.certificate, &other.key).contains("does not fit"));
    let below = made(&intermediate.certificate, &intermediate.key);
    assert!(below.contains("path length is 0"), "{below}");
    // the same name under another key is told apart by its signature
    let refused = intermediate.certificate.check_issuer(&other.certificate).expect_err("refused");
    assert!(refused.to_string().contains("not made by the root's key"), "{refused}");
}
