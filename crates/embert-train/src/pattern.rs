//! Patterns on parameters' names: the beginning of a name up to a dot, in which `*` stands for any characters.

/// Whether `pattern` names the parameter or a module around it.
///
/// `a.layer.1` is the layer and all in it, but not `a.layer.10`; `*.bias` is every bias; `a` is all of `a`.
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
    fn a_pattern_is_a_beginning_up_to_a_dot() {
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
