//! Nothing of a Secret is printed that is neither a certificate nor text around a binding.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use meshgen::diff::{Changes, MARKDOWN_LIMIT, TextOptions, to_html, to_json, to_markdown, to_text};
use meshgen::tree::{Binding, BindingSource};

use super::tree::{Tree, changes, details};

const ROOT: &str = include_str!("../../data/diff/root.pem");
const OTHER: &str = include_str!("../../data/diff/other.pem");
const FIRST: &str = include_str!("../../data/diff/intermediate-1.pem");
const SECOND: &str = include_str!("../../data/diff/intermediate-2.pem");

/// A string as a YAML value.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a string")
}

fn cacerts(certificate: &str, root: &str, sealed: &str) -> Tree {
    let text = format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: cacerts, namespace: istio-system}}\nstringData:\n  ca-cert.pem: {}\n  ca-key.pem: ENC[AES256_GCM,data:{sealed},type:str]\n  cert-chain.pem: {}\n  root-cert.pem: {}\nsops:\n  age:\n  - recipient: age1first\n    enc: |\n      -----BEGIN AGE ENCRYPTED FILE-----\n      {sealed}\n      -----END AGE ENCRYPTED FILE-----\n  mac: ENC[AES256_GCM,data:{sealed},type:str]\ntype: Opaque\n",
        quoted(certificate),
        quoted(&format!("{certificate}{root}")),
        quoted(root),
    );
    Tree::new(&["c1"])
        .object("c1/10-cacerts/secret_istio-system_cacerts.yaml", &text)
        .row(|row| row.sealed = vec!["/stringData/ca-key.pem".to_owned()])
}

#[test]
fn a_new_intermediate_is_shown_as_what_it_is() {
    let (old, new) = (cacerts(FIRST, ROOT, "AAAA"), cacerts(SECOND, ROOT, "BBBB"));
    assert_eq!(
        details(&old, &new),
        "\
~ Secret/istio-system/cacerts  (c1; 10-cacerts)  istiod reloads its CA
    sops.age[age1first].enc: sealed value changed
    sops.mac: sealed value changed
    stringData[\"ca-cert.pem\"]:
      ! certificate changed
          subject      O=Istio, CN=Intermediate CA, L=c1
          issuer       O=Istio, CN=Root CA
      -   serial       2001
      +   serial       2002
          notBefore    2026-11-24T16:24:39Z
      -   notAfter     2036-11-22T16:24:39Z
      +   notAfter     2036-11-23T16:24:39Z
          key          ECDSA P-256
      -   fingerprint  4E:53:56:27:3D:9E:50:A4:A4:93:5A:CD:A5:33:DE:40:41:E4:B6:F8:C5:B7:E9:DD:E4:91:35:2F:10:C2:73:FA
      +   fingerprint  3D:9C:8C:28:CB:95:A5:AE:AE:E6:FD:22:78:AF:5B:70:70:97:47:80:2F:BA:A8:4E:AA:FE:B1:79:29:47:14:35
    stringData[\"ca-key.pem\"]: sealed value changed
    stringData[\"cert-chain.pem\"]:
      ! certificate 1 of 2 changed
          subject      O=Istio, CN=Intermediate CA, L=c1
          issuer       O=Istio, CN=Root CA
      -   serial       2001
      +   serial       2002
          notBefore    2026-11-24T16:24:39Z
      -   notAfter     2036-11-22T16:24:39Z
      +   notAfter     2036-11-23T16:24:39Z
          key          ECDSA P-256
      -   fingerprint  4E:53:56:27:3D:9E:50:A4:A4:93:5A:CD:A5:33:DE:40:41:E4:B6:F8:C5:B7:E9:DD:E4:91:35:2F:10:C2:73:FA
      +   fingerprint  3D:9C:8C:28:CB:95:A5:AE:AE:E6:FD:22:78:AF:5B:70:70:97:47:80:2F:BA:A8:4E:AA:FE:B1:79:29:47:14:35
        certificate 2 of 2: O=Istio, CN=Root CA, unchanged"
    );
}

#[test]
fn another_root_is_told_apart_from_a_new_intermediate() {
    let label = |old: &Tree, new: &Tree| {
        let found = changes(old, new);
        let labels = found.entries[0].consequences.iter().map(meshgen::diff::Consequence::label);
        labels.collect::<Vec<_>>().join(", ")
    };
    let old = cacerts(FIRST, ROOT, "AAAA");
    assert_eq!(label(&old, &cacerts(SECOND, OTHER, "AAAA")), "changes the root of trust");
    assert_eq!(label(&old, &cacerts(SECOND, ROOT, "AAAA")), "istiod reloads its CA");
    // sealed for other recipients: the same key, nothing to reload
    assert_eq!(label(&old, &cacerts(FIRST, ROOT, "BBBB")), "");
    // istiod compares bytes: white space in the root is another root
    assert_eq!(
        label(&old, &cacerts(FIRST, &format!("{ROOT}\n"), "AAAA")),
        "changes the root of trust"
    );
}

fn remote(ca: &str, server: &str, user: &str) -> Tree {
    let kubeconfig = format!(
        "apiVersion: v1\nkind: Config\nclusters:\n- name: c1\n  cluster:\n    certificate-authority-data: {}\n    server: {server}\nusers:\n- name: c1\n  user: {{{user}}}\n",
        STANDARD.encode(ca)
    );
    let text = format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: istio-remote-secret-c1, namespace: istio-system}}\nstringData: {{c1: {}}}\n",
        quoted(&kubeconfig)
    );
    Tree::new(&["c1", "c2"]).object("remote-secrets/c1.yaml", &text).row(|row| {
        row.bindings = vec![Binding {
            field: "/stringData/c1".to_owned(),
            placeholder: "<token of c1>".to_owned(),
            from: BindingSource {
                cluster: "c1".to_owned(),
                secret: "istio-system/reader".to_owned(),
                key: "token".to_owned(),
            },
        }];
    })
}

#[test]
fn a_remote_secret_is_shown_around_its_binding() {
    let old = remote(ROOT, "https://a", "token: <token of c1>");
    let new = remote(OTHER, "https://b", "token: <token of c1>, client-key-data: c2VjcmV0");
    let found = details(&old, &new);
    let place = "stringData.c1 › clusters[c1].cluster.certificate-authority-data:";
    assert!(found.contains(place), "{found}");
    assert!(
        found.contains("-   serial       1001") && found.contains("+   serial       1002"),
        "{found}"
    );
    assert!(found.contains("server: \"https://a\" → \"https://b\""), "{found}");
    assert!(found.contains("client-key-data: ‹secret value, not shown›"), "{found}");
    assert!(!found.contains("c2VjcmV0"), "{found}");
    // without a declared binding the same text is a secret
    let bare = |tree: Tree| tree.row(|row| row.bindings.clear());
    let found = details(&bare(old), &bare(new));
    assert!(found.contains("stringData.c1: secret value changed"), "{found}");
    assert!(!found.contains("https://"), "{found}");
}

#[test]
fn a_ca_bundle_is_shown_as_a_certificate() {
    let hook = |pem: &str| {
        let text = format!(
            "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\nmetadata: {{name: v}}\nwebhooks: [{{name: a.x, clientConfig: {{caBundle: {}}}}}]\n",
            STANDARD.encode(pem)
        );
        Tree::new(&["c1"]).object("c1/30-x/v.yaml", &text)
    };
    let found = details(&hook(ROOT), &hook(OTHER));
    assert!(
        found.contains("webhooks[a.x].clientConfig.caBundle:\n      ! certificate changed"),
        "{found}"
    );
    assert!(!found.contains("LS0tLS1"), "{found}");
}

/// Everything that the writers print of some changes.
fn everything(changes: &Changes) -> String {
    let mut all = String::new();
    for colour in [false, true] {
        all += &to_text(changes, TextOptions { colour, brief: false });
    }
    all += &to_markdown(changes, MARKDOWN_LIMIT);
    all += &to_json(changes);
    all += &to_html(changes);
    all += &format!("{changes:?}");
    all
}

/// Forms in which a canary could come out.
fn forms(canary: &str) -> Vec<String> {
    let bytes = canary.as_bytes();
    // base64 of the canary at each of its three places in a longer text
    let shifted = (0..3).map(|shift| {
        let padded = [&vec![b'x'; shift], bytes].concat();
        let text = STANDARD.encode(padded);
        text[4..text.len() - 4].to_owned()
    });
    let mut forms: Vec<String> = shifted.collect();
    forms.push(canary.to_owned());
    forms.push(hex::encode(bytes));
    forms
}

#[test]
fn a_canary_in_a_secret_is_in_no_writers_output() {
    let canary = "CANARY-7f3a9b-CANARY-7f3a9b-CANARY";
    let key = format!("-----BEGIN EC PRIVATE KEY-----\n{canary}\n-----END EC PRIVATE KEY-----\n");
    let encoded = STANDARD.encode(canary);
    let encoded_key = STANDARD.encode(&key);
    let secret = |body: &str| {
        format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: x, namespace: s}}\n{body}\n")
    };
    let hidden = [
        // every field that holds data, in every shape
        secret(&format!("data: {{a: {encoded}}}")),
        secret(&format!("data: {{a: {canary}}}")),
        secret(&format!("data: [{canary}, {{b: [{canary}]}}]")),
        secret(&format!("data: {canary}")),
        secret(&format!("stringData: {{a: {canary}, b: 'x {canary} y'}}")),
        secret(&format!("stringData: {{a: {}}}", quoted(&key))),
        secret(&format!("stringData: {{a: {}}}", quoted(&format!("{ROOT}{canary}\n")))),
        secret(&format!("stringData: {{a: {}}}", quoted(&format!("{canary}\n{ROOT}")))),
        secret(&format!("stringData: {{a: {}}}", quoted(&format!("{ROOT}{key}")))),
        secret(&format!("unknown: {{deep: [{{field: {canary}}}]}}")),
        secret(&format!("stringData: {{a: {{nested: {canary}}}}}")),
        secret(&format!("stringData: {{a: 'ENC[{canary}]'}}")),
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: x, namespace: s, annotations: {{kubectl.kubernetes.io/last-applied-configuration: '{{\"data\": \"{canary}\"}}'}}}}\n"
        ),
        // a Secret inside something else, and keys where no key should be
        format!(
            "apiVersion: v1\nkind: List\nmetadata: {{name: x}}\nitems: [{{kind: Secret, data: {{a: {encoded}}}}}]\n"
        ),
        format!(
            "apiVersion: x.io/v1\nkind: Template\nmetadata: {{name: x}}\nspec: {{kind: Secret, stringData: {{a: {canary}}}}}\n"
        ),
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: x}}\ndata: {{a: {}}}\n",
            quoted(&key)
        ),
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: x}}\ndata: {{a: 'k: {encoded_key}'}}\n"
        ),
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: x}}\ndata: {{a: 'AGE-SECRET-KEY-1{canary}'}}\n"
        ),
    ];
    let plain = secret("stringData: {a: x}");
    for text in &hidden {
        let with = Tree::new(&["c1"]).object("c1/30-x/x.yaml", text);
        let without = Tree::new(&["c1"]);
        let other = Tree::new(&["c1"]).object("c1/30-x/x.yaml", &plain);
        let changed = text.replace("CANARY-7f3a9b-C", "CANARY-7f3a9b-c");
        let changed = Tree::new(&["c1"]).object("c1/30-x/x.yaml", &changed);
        // a file whose row says nothing of its object, and one that is no YAML at all
        let bare = Tree::new(&["c1"]).file("c1/x.yaml", text);
        let broken = Tree::new(&["c1"]).file("c1/y.yaml", &format!("{text}\n\t- : ["));
        for (old, new) in [
            (&with, &without),
            (&without, &with),
            (&with, &other),
            (&other, &with),
            (&with, &changed),
            (&bare, &with),
            (&without, &bare),
            (&bare, &without),
            (&without, &broken),
            (&broken, &other),
        ] {
            let all = everything(&changes(old, new));
            for form in forms(canary) {
                assert!(!all.contains(&form), "`{form}` of {text} is in:\n{all}");
            }
        }
    }
}

#[test]
fn a_binding_shows_no_more_than_its_own_string() {
    let canary = "CANARY-7f3a9b-CANARY";
    let tree = |text: &str, placeholder: &str| {
        let text = format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: x, namespace: s}}\nstringData: {{a: {}, b: {canary}}}\n",
            quoted(text)
        );
        let placeholder = placeholder.to_owned();
        Tree::new(&["c1"]).object("c1/30-x/x.yaml", &text).row(|row| {
            let from = BindingSource {
                cluster: "c1".to_owned(),
                secret: "s/x".to_owned(),
                key: "k".to_owned(),
            };
            row.bindings = vec![Binding { field: "/stringData/a".to_owned(), placeholder, from }];
        })
    };
    let none = Tree::new(&["c1"]);
    // shown: text around a placeholder that stands there once
    assert!(details(&none, &tree("user:<p>", "<p>")).contains("user:<p>"));
    // not shown: no placeholder, an empty one, one that stands there twice, a key beside it
    let key = format!("<p> -----BEGIN PRIVATE KEY-----{canary}");
    for (text, placeholder) in
        [(canary, "<p>"), (canary, ""), (&*format!("<p>{canary}<p>"), "<p>"), (&*key, "<p>")]
    {
        let all = everything(&changes(&none, &tree(text, placeholder)));
        assert!(!all.contains(canary), "{text} with {placeholder:?}: {all}");
    }
}

#[test]
fn masked_values_are_compared_all_the_same() {
    let secret = |value: &str| {
        let text = format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: x, namespace: s}}\nstringData: {{a: {value}, b: same}}\n"
        );
        Tree::new(&["c1"]).object("c1/30-x/x.yaml", &text)
    };
    assert_eq!(
        details(&secret("one"), &secret("two")),
        "~ Secret/s/x  (c1; 30-x)\n    stringData.a: secret value changed"
    );
    let certificate = secret(&quoted(ROOT));
    let found = details(&secret("one"), &certificate);
    assert!(found.contains("- ‹secret value, not shown›\n      + certificate\n"), "{found}");
}
