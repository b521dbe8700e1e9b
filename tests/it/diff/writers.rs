//! The four forms of one comparison.

use meshgen::diff::{
    Changes, MARKDOWN_LIMIT, TextOptions, json_schema, to_html, to_json, to_markdown, to_text,
};

use super::tree::{Tree, changes};
use crate::tool;

fn config(name: &str, data: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: s}}\ndata: {data}\n"
    )
}

/// A small comparison with something of everything.
fn sample() -> Changes {
    let deployment = |image: &str| {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: istiod, namespace: istio-system}}\nspec: {{template: {{spec: {{containers: [{{name: discovery, image: {image}}}]}}}}}}\n"
        )
    };
    let tree = |image: &str| {
        ["c1", "c2"].iter().fold(Tree::new(&["c1", "c2"]), |tree, cluster| {
            let path = format!("{cluster}/30-istiod/deployment_istio-system_istiod.yaml");
            tree.object(&path, &deployment(image))
        })
    };
    let old = tree("istio/pilot-1.20.2").file("terraform/terraform.tfvars", "a = 1\n");
    let mut new = tree("istio/pilot-1.20.3").file("terraform/terraform.tfvars", "a = 2\n").object(
        "c2/70-samples/secret_s_x.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: x, namespace: s}\nstringData: {token: x}\n",
    );
    new.index.clusters[0].context = String::from("prod");
    changes(&old, &new)
}

/// Changes of so many objects with so many lines each.
fn huge(objects: usize, lines: usize) -> Changes {
    let tree = |word: &str| {
        (0..objects).fold(Tree::new(&["c1"]), |tree, number| {
            let text: String =
                (0..lines).map(|line| format!("{word} {line} {number}\\n")).collect();
            let data = format!("{{text: \"{text}\"}}");
            tree.object(
                &format!("c1/30-x/m{number:04}.yaml"),
                &config(&format!("m{number:04}"), &data),
            )
        })
    };
    changes(&tree("old"), &tree("new"))
}

#[test]
fn colours_change_nothing_but_the_colours() {
    let changes = sample();
    let plain = to_text(&changes, TextOptions::default());
    let coloured = to_text(&changes, TextOptions { colour: true, brief: false });
    assert!(coloured.contains("\u{1b}[31m") && coloured.contains("\u{1b}[32m"));
    let stripped = anstream::adapter::strip_str(&coloured).to_string();
    assert_eq!(stripped, plain);
    assert!(!plain.contains('\u{1b}'));
    let brief = to_text(&changes, TextOptions { colour: false, brief: true });
    assert!(brief.contains("~ Deployment/istio-system/istiod") && !brief.contains("containers["));
}

#[test]
fn markdown_is_a_summary_and_folded_details() {
    let found = to_markdown(&sample(), MARKDOWN_LIMIT);
    let (_, rest) = found.split_once("</code>\n\n").expect("a first paragraph");
    let expected = r#"| | added | changed | removed | restarts |
|---|---:|---:|---:|---:|
| c1 | 0 | 1 | 0 | 1 |
| c2 | 1 | 1 | 0 | 1 |
| files that are not sent | 0 | 1 | 0 | 0 |

- **restarts pods**: <code>Deployment/istio-system/istiod</code> (c1, c2)
  - the pod template differs: all its pods are replaced

In the index:

- <code>cluster c1</code>: context: c1 → prod

<details><summary>changed <code>terraform/terraform.tfvars</code></summary>

```diff
- a = 1
+ a = 2
```

</details>

<details><summary>changed <code>Deployment/istio-system/istiod</code> (c1, c2; 30-istiod) <b>restarts pods</b></summary>

```diff
@@ spec.template.spec.containers[discovery].image @@
- istio/pilot-1.20.2
+ istio/pilot-1.20.3
```

</details>

<details><summary>added <code>Secret/s/x</code> (c2; 70-samples)</summary>

```diff
+ apiVersion: v1
+ kind: Secret
+ metadata:
+   name: x
+   namespace: s
+ stringData:
+   token: "‹secret value, not shown›"
```

</details>
"#;
    assert_eq!(rest, expected);
}

#[test]
fn markdown_fits_a_comment_and_says_what_it_left_out() {
    // many lines: details are left out, every change is named
    let found = to_markdown(&huge(120, 60), MARKDOWN_LIMIT);
    assert!(found.len() <= MARKDOWN_LIMIT, "{} bytes", found.len());
    assert!(found.len() > MARKDOWN_LIMIT * 8 / 10, "the room is used: {}", found.len());
    let full = found.matches("<details>").count();
    let named = found.matches("\n- changed <code>").count();
    assert_eq!(full + named, 120);
    let sentence =
        format!("Left out: {named} changes without their details ({} lines).", named * 121);
    assert!(found.contains(&sentence), "{}", &found[found.len() - 400..]);
    // too many to name them all: they are counted
    let found = to_markdown(&huge(1700, 1), MARKDOWN_LIMIT);
    assert!(found.len() <= MARKDOWN_LIMIT);
    let named = found.matches("\n- changed <code>").count() + found.matches("<details>").count();
    assert!(
        found.contains(&format!("{} changes that are not even named", 1700 - named)),
        "{}",
        &found[found.len() - 400..]
    );
    // any limit holds, if it has room for the head
    let changes = huge(50, 5);
    for limit in [900, 1_500, 4_000, 20_000] {
        assert!(to_markdown(&changes, limit).len() <= limit, "{limit}");
    }
}

#[test]
fn consequences_are_the_last_to_lose_their_details() {
    let deployment = |image: &str| {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: zz, namespace: s}}\nspec: {{template: {{image: {image}}}}}\n"
        )
    };
    let tree = |word: &str| {
        let tree = (0..400).fold(Tree::new(&["c1"]), |tree, number| {
            let data = format!("{{text: {}}}", word.repeat(40));
            tree.object(
                &format!("c1/30-x/m{number:04}.yaml"),
                &config(&format!("m{number:04}"), &data),
            )
        });
        tree.object("c1/99-z/zz.yaml", &deployment(word))
    };
    let found = to_markdown(&changes(&tree("aa"), &tree("bb")), MARKDOWN_LIMIT);
    assert!(found.contains("<details><summary>changed <code>Deployment/s/zz</code>"), "{found}");
}

#[test]
fn values_cannot_break_out_of_markdown_or_html() {
    let evil = "</code></details><script>alert(1)</script> ``` ```` @octocat | [x](http://x) <img src=x onerror=y>";
    let text = serde_json::to_string(evil).expect("a string");
    let object = |annotation: &str, data: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: m, namespace: s, annotations: {{{text}: {annotation}}}}}\ndata: {{a: {data}}}\n"
        )
    };
    let many = serde_json::to_string(&format!("{evil}\n```\n````\n# head\n")).expect("a string");
    let old = Tree::new(&["c1"]).object("c1/30-x/x.yaml", &object("old", "x"));
    let mut new = Tree::new(&["c1"]).object("c1/30-x/x.yaml", &object(&text, &many));
    // a hostile index
    new.index.clusters[0].context = evil.to_owned();
    new.index.mesh = format!("{evil}\n# head");
    let mut found = changes(&old, &new);
    found.old.label = evil.to_owned();
    let html = to_html(&found);
    for tag in ["<script", "<img", "</details><"] {
        assert!(!html.contains(tag), "{tag}");
    }
    assert!(html.contains("&lt;script&gt;"));
    let markdown = to_markdown(&found, MARKDOWN_LIMIT);
    let (head, rest) = markdown.split_once("`````diff\n").expect("a fence longer than any inside");
    let (body, tail) = rest.split_once("\n`````\n").expect("the end of the fence");
    assert!(body.contains("<script>"), "shown as it is, inside the block");
    assert!(body.lines().all(|line| line.starts_with(['@', '+', '-', '#', ' '])), "{body}");
    for outside in [head, tail] {
        for mark in ["<script", "<img", "@octocat", "](", "\n# head", "```"] {
            assert!(!outside.contains(mark), "{mark} in {outside}");
        }
    }
    assert_eq!(tail.trim(), "</details>");
}

#[test]
fn html_needs_nothing_from_elsewhere() {
    let page = to_html(&sample());
    assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"));
    for outside in ["http:", "https:", "<script", "<link", "src=", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(page.contains("prefers-color-scheme: dark") && page.contains("@media print"));
    assert!(page.contains("<b>1.20.2</b>") || page.contains("<b>"), "words are emphasised");
    for (open, close) in
        [("<details", "</details>"), ("<div", "</div>"), ("<ul", "</ul>"), ("<span", "</span>")]
    {
        assert_eq!(page.matches(open).count(), page.matches(close).count(), "{open}");
    }
}

#[test]
fn json_is_as_documented() {
    let root = tool::root();
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap_or_default();
    let check = |path: &str, expected: &str, found: &str| {
        if std::env::var_os("MESHGEN_BLESS").is_some() {
            return std::fs::write(root.join(path), found).expect("written");
        }
        assert_eq!(
            expected, found,
            "{path} is not what is written; MESHGEN_BLESS=1 writes it anew"
        );
    };
    let schema = format!("{:#}\n", json_schema());
    check("docs/diff.schema.json", &read("docs/diff.schema.json"), &schema);
    let page = read("docs/diff-json.md");
    let (before, rest) = page.split_once("```json\n").expect("an example");
    let (_, after) = rest.split_once("```\n").expect("its end");
    let found = to_json(&sample());
    check("docs/diff-json.md", &page, &format!("{before}```json\n{found}```\n{after}"));
}

#[test]
fn json_says_all_that_the_text_says() {
    let document: serde_json::Value = serde_json::from_str(&to_json(&sample())).expect("JSON");
    assert_eq!(document["different"], true);
    let change = &document["changes"][1];
    assert_eq!(change["objects"][0]["clusters"], serde_json::json!(["c1"]));
    assert_eq!(change["consequences"][0]["kind"], "restarts");
    let field = &change["fields"][0];
    assert_eq!(field["steps"][4], serde_json::json!({"name": "discovery"}));
    assert_eq!(field["new"], "istio/pilot-1.20.3");
    let hidden = &document["changes"][2]["content"]["stringData"]["token"];
    assert_eq!(*hidden, serde_json::json!({"meshgen.dev/hidden": "secret"}));
}

#[test]
fn writing_twice_gives_the_same_bytes() {
    let write = |changes: &Changes| {
        [
            to_text(changes, TextOptions::default()),
            to_markdown(changes, MARKDOWN_LIMIT),
            to_json(changes),
            to_html(changes),
        ]
    };
    assert_eq!(write(&sample()), write(&sample()));
    assert_eq!(write(&huge(40, 3)), write(&huge(40, 3)));
}
