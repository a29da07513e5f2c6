//! One `.rs` file: its lines, with and without comments and strings, and where its tests begin.

pub(super) struct Source {
    /// From the workspace's folder, with `/`.
    pub path: String,
    pub text: String,
    /// `text` with comments and the insides of strings blanked.
    pub code: String,
    /// `text` with everything but the insides of strings blanked.
    pub strings: String,
    /// The first line that is test code, counted from 1.
    tests_from: usize,
}

impl Source {
    pub(super) fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        let (path, text) = (path.into(), text.into());
        let (code, strings) = separate(&text);
        let tests_from = if is_test_file(&path) { 1 } else { inline_tests(&code) };
        Self { path, text, code, strings, tests_from }
    }

    pub(super) fn is_test(&self, line: usize) -> bool {
        line >= self.tests_from
    }

    /// `embert-data` of `crates/embert-data/src/lib.rs`.
    pub(super) fn package(&self) -> &str {
        let path = self.path.strip_prefix("crates/").unwrap_or(&self.path);
        path.split('/').next().unwrap_or(path)
    }
}

fn is_test_file(path: &str) -> bool {
    let folders = ["/tests/", "/benches/", "/examples/"];
    folders.iter().any(|folder| path.contains(folder))
        || path.ends_with("/tests.rs")
        || path.ends_with("/build.rs")
}

/// Tests stand last in a file, so everything from their module on is test code.
fn inline_tests(code: &str) -> usize {
    let lines: Vec<_> = code.lines().map(str::trim).collect();
    let module = |i: usize| {
        lines[i + 1..].iter().find(|line| !line.starts_with('#')).is_some_and(|l| l.starts_with("mod "))
    };
    (0..lines.len()).find(|&i| lines[i] == "#[cfg(test)]" && module(i)).map_or(usize::MAX, |i| i + 1)
}

/// Copies of `text` with the same line breaks: one keeps code, the other the insides of strings.
fn separate(text: &str) -> (String, String) {
    let (mut code, mut strings) = (String::new(), String::new());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let (length, kind) = token(rest, code.chars().next_back());
        let (kept, token) = (kind, &rest[..length.max(next.len_utf8())]);
        let blank: String = token.chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
        code.push_str(if kept == Kind::Code { token } else { &blank });
        strings.push_str(if kept == Kind::String { token } else { &blank });
        rest = &rest[token.len()..];
    }
    (code, strings)
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Code,
    Comment,
    String,
}

/// The length in bytes of the comment, string or single character that `rest` begins with.
fn token(rest: &str, before: Option<char>) -> (usize, Kind) {
    let word_before = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if rest.starts_with("//") {
        (rest.find('\n').unwrap_or(rest.len()), Kind::Comment)
    } else if rest.starts_with("/*") {
        (block_comment(rest), Kind::Comment)
    } else if rest.starts_with('"') {
        (string(rest), Kind::String)
    } else if let Some(length) = raw_string(rest).filter(|_| !word_before) {
        (length, Kind::String)
    } else if let Some(length) = character(rest) {
        (length, Kind::String)
    } else {
        (1, Kind::Code)
    }
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0;
    for (i, pair) in rest.as_bytes().windows(2).enumerate() {
        match pair {
            b"/*" => depth += 1,
            b"*/" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return i + 2;
        }
    }
    rest.len()
}

fn string(rest: &str) -> usize {
    let mut escaped = false;
    for (i, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return i + 1,
            _ => {}
        }
    }
    rest.len()
}

/// `r"..."` and `r#"..."#`, with `b` or `c` before.
fn raw_string(rest: &str) -> Option<usize> {
    let opening = rest.trim_start_matches(['b', 'c']).strip_prefix('r')?;
    let hashes = opening.len() - opening.trim_start_matches('#').len();
    let inside = opening[hashes..].strip_prefix('"')?;
    let closing = format!("\"{}", "#".repeat(hashes));
    let end = inside.find(&closing).map_or(inside.len(), |i| i + closing.len());
    Some(rest.len() - inside.len() + end)
}

/// `'x'` and `'\n'`; a lifetime is none.
fn character(rest: &str) -> Option<usize> {
    let inside = rest.strip_prefix('\'')?;
    let after = match inside.strip_prefix('\\') {
        Some(escape) => escape.get(1..).and_then(|tail| tail.find('\'')).map(|i| i + 3)?,
        None => inside.chars().next()?.len_utf8() + 1,
    };
    rest[after..].starts_with('\'').then_some(after + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, code: &str, strings: &str) {
        let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let source = Source::new("crates/x/src/a.rs", text);
        assert_eq!(squeeze(&source.code), code, "{text}");
        assert_eq!(squeeze(&source.strings), strings, "{text}");
        assert_eq!(source.code.matches('\n').count(), text.matches('\n').count());
    }

    #[test]
    fn comments_and_strings_are_no_code() {
        check("a(); // unsafe\nb();", "a(); b();", "");
        check("a /* x /* y */ z */ b", "a b", "");
        check(r#"f("say \"unsafe\"", b)"#, "f( , b)", r#""say \"unsafe\"""#);
        check("f(r#\"a \"quoted\" b\"#)", "f( )", "r#\"a \"quoted\" b\"#");
        check("let c = '\"'; g(\"x\")", "let c = ; g( )", "'\"' \"x\"");
        check(r"let c = '\''; d", "let c = ; d", r"'\''");
        check("fn f<'a>(x: &'a str) {}", "fn f<'a>(x: &'a str) {}", "");
        check("let é = 'é'; // ü", "let é = ;", "'é'");
        check("for\"x\"", "for", "\"x\"");
    }

    #[test]
    fn tests_begin_at_their_module() {
        let text = "fn a() {}\n#[cfg(test)]\nuse x;\n#[cfg(test)]\n#[rustfmt::skip]\nmod tests {\n}\n";
        let source = Source::new("crates/x/src/a.rs", text);
        assert_eq!(
            (1..=7).map(|line| source.is_test(line)).collect::<Vec<_>>(),
            [false, false, false, true, true, true, true]
        );
        assert!(Source::new("crates/x/tests/it/main.rs", "fn a() {}").is_test(1));
        assert!(!Source::new("crates/x/src/a.rs", "fn a() {}").is_test(1));
    }

    #[test]
    fn a_file_belongs_to_a_package() {
        assert_eq!(Source::new("crates/embert-data/src/lib.rs", "").package(), "embert-data");
        assert_eq!(Source::new("xtask/src/main.rs", "").package(), "xtask");
    }
}
