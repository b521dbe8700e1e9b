//! The page as one HTML file that needs no network and no script.

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, HtmlEscape, UndefinedBehavior, Value};

use super::model::Page;
use super::view::View;
use crate::diff::visible;

const TEMPLATES: [(&str, &str); 7] = [
    ("page.html", include_str!("template/page.html")),
    ("style.css", include_str!("template/style.css")),
    ("symbols.html", include_str!("template/symbols.html")),
    ("picture.html", include_str!("template/picture.html")),
    ("verification.html", include_str!("template/verification.html")),
    ("table.html", include_str!("template/table.html")),
    ("part.html", include_str!("template/part.html")),
];

/// The page as complete HTML: styles and pictures inline, light and dark, fit for a phone and for
/// paper.
///
/// Every value goes through one gate: characters that turn or hide text become visible, then all that
/// means something in HTML is escaped. What the page is made of may be hostile.
pub fn to_html(page: &Page) -> String {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_formatter(|out, state, value| match value.as_str() {
        Some(text) if !value.is_safe() => {
            minijinja::escape_formatter(out, state, &Value::from(visible(text)))
        }
        _ => minijinja::escape_formatter(out, state, value),
    });
    environment.add_filter("prose", |text: &str| Value::from_safe_string(prose(text)));
    for (name, text) in TEMPLATES {
        environment.add_template(name, text).expect("the page's templates are part of the program");
    }
    let template = environment.get_template("page.html").expect("it was just added");
    let mut text = template
        .render(Value::from(Serde(View::of(page))))
        .expect("the values of the page's template are complete");
    text.push('\n');
    text
}

/// A message as HTML: what stands between back-ticks can be typed, and looks so.
fn prose(text: &str) -> String {
    let text = visible(text);
    let pieces: Vec<&str> = text.split('`').collect();
    // an odd one out is no pair
    if pieces.len().is_multiple_of(2) {
        return HtmlEscape(&text).to_string();
    }
    let piece = |(at, piece): (usize, &&str)| match at % 2 {
        0 => HtmlEscape(piece).to_string(),
        _ => format!("<code>{}</code>", HtmlEscape(piece)),
    };
    pieces.iter().enumerate().map(piece).collect()
}

#[cfg(test)]
mod tests {
    use super::prose;

    #[test]
    fn back_ticks_become_code_and_nothing_else_passes() {
        assert_eq!(prose("run `a <b>` & `c`"), "run <code>a &lt;b&gt;</code> &amp; <code>c</code>");
        assert_eq!(prose("an odd ` <i>"), "an odd ` &lt;i&gt;");
        assert_eq!(prose("`\u{202E}x`"), "<code>\\u{202e}x</code>");
    }
}
