//! Tables of text lengths, and what padding adds.

use embert_text::{EncodedTexts, LengthReport, PaddingWaste};

use super::{add, grouped, percent, plain};

/// A table of the texts' lengths in tokens, before truncation.
pub(crate) fn lengths(texts: &EncodedTexts) -> String {
    length_table("tokens", texts.full_lengths())
}

/// A table of the texts' lengths in words.
pub(crate) fn word_lengths(texts: &[&str]) -> String {
    let lengths = texts.iter().map(|text| text.split_whitespace().count()).collect::<Vec<_>>();
    length_table("words", &lengths)
}

fn length_table(unit: &str, lengths: &[usize]) -> String {
    let Some(report) = LengthReport::new(lengths) else { return "no texts".into() };
    let mut table = plain(&[
        unit, "min", "p25", "p50", "p75", "p90", "p95", "p99", "max", "mean", ">128", ">256", ">512",
    ]);
    let quantiles = [report.p25, report.p50, report.p75, report.p90, report.p95, report.p99];
    let mut row = vec![grouped(report.total), report.min.to_string()];
    row.extend(quantiles.map(|quantile| format!("{quantile:.0}")));
    row.extend([report.max.to_string(), format!("{:.1}", report.mean)]);
    row.extend([report.cut_at_128, report.cut_at_256, report.cut_at_512].map(percent));
    add(&mut table, row);
    table.to_string()
}

/// Formats the share of tokens that padding would add.
pub(crate) fn padding(texts: &EncodedTexts, batch_size: usize, seed: u64) -> String {
    let max_length = texts.limit().max_length();
    let waste = PaddingWaste::new(&texts.lengths(), max_length, batch_size, seed);
    format!(
        "{} tokens after truncation; padding to {max_length} would add {}, padding to the longest text of each batch {}",
        grouped(texts.num_tokens()),
        percent(share_to_surplus(waste.max_length)),
        percent(share_to_surplus(waste.random)),
    )
}

/// Converts padding/(tokens + padding) to padding/tokens.
fn share_to_surplus(share: f64) -> f64 {
    share / (1.0 - share)
}
