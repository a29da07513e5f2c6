//! Patterns of parameter names: a prefix up to a dot, in which `*` matches any characters.

/// Returns true if `pattern` matches the parameter name or a prefix of it up to a dot.
///
/// `a.layer.1` matches every parameter of this layer, but not of `a.layer.10`. `*.bias` matches every bias.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => name.strip_prefix(pattern).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')),
        Some((literal, pattern)) => name.strip_prefix(literal).is_some_and(|rest| {
            rest.char_indices().map(|(at, _)| at).chain([rest.len()]).any(|at| matches(pattern, &rest[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_a_prefix_up_to_a_dot() {
        let name = "bert.encoder.layer.1.output.dense.bias";
        let cases = [
            ("bert", true),
            ("bert.encoder.layer.1", true),
            (name, true),
            ("be", false),
            ("bert.encoder.layer", true),
            ("bert.encoder.layer.", false),
            ("encoder", false),
            ("", false),
            ("*.bias", true),
            ("*.weight", false),
            ("*", true),
            ("*dense*", true),
            ("bert.*.layer.*.output", true),
            ("bert.*.layer.*.attention", false),
            ("**.dense", true),
            ("*encoder", true),
        ];
        for (pattern, expected) in cases {
            assert_eq!(matches(pattern, name), expected, "{pattern}");
        }
        assert!(!matches("bert.encoder.layer.1", "bert.encoder.layer.10.output.dense.bias"));
    }
}
