//! Optional cleaning of text from the web: HTML tags and entities, control characters, whitespace.

/// Tags inside a line of text; they are removed. Other names stay: `a <x and y> d` is not HTML.
const INLINE_TAGS: &[&str] = &[
    "a", "abbr", "b", "big", "cite", "code", "del", "em", "font", "i", "img", "ins", "kbd", "mark", "q", "s",
    "small", "span", "strike", "strong", "sub", "sup", "tt", "u",
];

/// Tags that separate words, as a line break does; a space replaces them.
const BLOCK_TAGS: &[&str] = &[
    "blockquote",
    "body",
    "br",
    "center",
    "dd",
    "div",
    "dl",
    "dt",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "hr",
    "html",
    "li",
    "ol",
    "p",
    "pre",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "title",
    "tr",
    "ul",
];

/// Removes HTML and invisible characters from a text.
///
/// - HTML comments and tags are removed. A tag that separates words, such as `<br>`, becomes a space.
/// - Entities become their characters: `&lt;` becomes `<`.
/// - Control characters and zero-width spaces are removed.
/// - Each run of whitespace becomes one space; the text is trimmed.
///
/// Text that only looks like HTML is not changed: `<3`, `a < b`, `AT&T`.
///
/// ```
/// assert_eq!(embert_data::clean("Great!<br /><br />I &lt;3 it."), "Great! I <3 it.");
/// ```
pub fn clean(text: &str) -> String {
    let untagged = remove_tags(text);
    let decoded = html_escape::decode_html_entities(&untagged);
    let visible: String = decoded.chars().filter(|&c| c.is_whitespace() || !is_invisible(c)).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_invisible(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200b}' | '\u{feff}')
}

fn remove_tags(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        let (before, after) = rest.split_at(start);
        kept.push_str(before);
        let (replacement, length) = parse_tag(after).unwrap_or(("<", 1));
        kept.push_str(replacement);
        rest = &after[length..];
    }
    kept.push_str(rest);
    kept
}

/// Parses the tag at the start of a text; returns its replacement and its length in bytes.
fn parse_tag(text: &str) -> Option<(&'static str, usize)> {
    if text.starts_with("<!--") {
        return Some(("", text.find("-->")? + "-->".len()));
    }
    let end = text.find('>')?;
    let inside = &text[1..end];
    if inside.contains('<') {
        return None;
    }
    let inside = inside.strip_prefix('/').unwrap_or(inside);
    let name_end = inside.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(inside.len());
    let (name, attributes) = inside.split_at(name_end);
    let name = name.to_ascii_lowercase();
    let replacement = match name.as_str() {
        name if BLOCK_TAGS.contains(&name) => " ",
        name if INLINE_TAGS.contains(&name) => "",
        _ => return None,
    };
    is_attribute_list(attributes).then_some((replacement, end + 1))
}

/// Returns true for an empty text, a closing slash, or text with an equals sign; false for ` and c` of `<b and c>`.
fn is_attribute_list(text: &str) -> bool {
    let text = text.trim_end_matches('/').trim();
    text.is_empty() || text.contains('=')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::permutation::Generator;

    #[test]
    fn html_becomes_the_text_a_browser_shows() {
        for (text, expected) in [
            ("One.<br /><br />Two.", "One. Two."),
            ("One<BR>two<p class=\"x\">three</p>", "One two three"),
            ("an <i>un</i>believable film", "an unbelievable film"),
            ("<a href='http://x.y/'>link</a>", "link"),
            ("seen<!-- not <b>this</b> --> twice", "seen twice"),
            ("Tom &amp; Jerry&#39;s &quot;best&quot; caf&eacute;", "Tom & Jerry's \"best\" café"),
            ("&lt;b&gt; is a tag", "<b> is a tag"),
        ] {
            assert_eq!(clean(text), expected, "{text}");
        }
    }

    #[test]
    fn text_that_only_looks_like_html_is_unchanged() {
        for text in [
            "I <3 it",
            "a < b",
            "a <b and c> d",
            "if x<y then y>x",
            "AT&T",
            "5 > 4",
            "<",
            "<<",
            "<br",
            "< br >",
            "</",
            "<unknown>",
            "&",
            "&;",
            "&nosuchentity;",
            "R&B <-> soul",
        ] {
            assert_eq!(clean(text), text);
        }
    }

    #[test]
    fn whitespace_is_collapsed_and_control_characters_are_removed() {
        let text = "\u{feff} a\t\tb\r\n\n c\u{0}d\u{85}e\u{a0}f\u{200b}g \u{7f}";
        assert_eq!(clean(text), "a b cd e fg");
    }

    #[test]
    fn random_texts_never_panic_and_are_trimmed() {
        let pieces = [
            "<",
            ">",
            "</",
            "<br",
            "/>",
            "<b>",
            "<!--",
            "-->",
            "&",
            "&amp;",
            "&#",
            "&#x41;",
            "&#0;",
            "&#1114112;",
            ";",
            "=",
            "\"",
            " ",
            "\n",
            "\u{0}",
            "é",
            "日本",
            "🎬",
            "word",
            "\u{200b}",
            "a < b",
        ];
        let mut generator = Generator::new(7);
        for _ in 0..5_000 {
            let text: String = (0..generator.up_to(12)).map(|_| *generator.pick(&pieces)).collect();
            let cleaned = clean(&text);
            assert!(!cleaned.chars().any(is_invisible), "{text:?} -> {cleaned:?}");
            assert_eq!(cleaned.split_whitespace().collect::<Vec<_>>().join(" "), cleaned, "{text:?}");
            assert!(cleaned.matches("word").count() <= text.matches("word").count());
        }
    }
}
