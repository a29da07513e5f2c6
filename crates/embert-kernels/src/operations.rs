//! The operations of an encoder: on Burn's CPU backend in code of ours, on its GPU backends some, elsewhere as their
//! references.

#[cfg(any(feature = "cube", feature = "flex"))]
use burn::backend::Dispatch;
use burn::tensor::{Int, Tensor};

#[cfg(feature = "flex")]
use crate::cpu::{self, Heads, Mask, Queries, TokenRows};
#[cfg(feature = "cube")]
use crate::cube::{self, CubeOps};
#[cfg(feature = "flex")]
use crate::extension::CpuOps;
use crate::{DropoutSite, Precision, SequenceLayout, reference};

/// y = xW + b, or xW.
///
/// # Shapes
/// - `x`: `[num_tokens, in]`
/// - `weight`: `[in, out]` (the transpose of PyTorch's)
/// - `bias`: `[out]`
/// - output: `[num_tokens, out]`
pub fn linear(x: Tensor<2>, weight: Tensor<2>, bias: Option<Tensor<1>>, precision: Precision) -> Tensor<2> {
    #[cfg(feature = "flex")]
    if cpu::computes(&x) {
        let (x, weight) = (x.into_dispatch(), weight.into_dispatch());
        return Tensor::from_dispatch(match bias {
            Some(bias) => <Dispatch as CpuOps>::linear(x, weight, bias.into_dispatch(), precision),
            None => <Dispatch as CpuOps>::linear_without_bias(x, weight, precision),
        });
    }
    reference::linear(x, weight, bias, precision)
}

/// Three linear maps of one input, for query, key and value: x·\[W₀ W₁ W₂\] + \[b₀ b₁ b₂\].
///
/// # Shapes
/// - `x`: `[num_tokens, hidden]`
/// - `weights`: `[hidden, hidden]` each, `biases`: `[hidden]` each
/// - output: `[num_tokens, 3 · hidden]`, the three side by side
pub fn query_key_value(
    x: Tensor<2>,
    weights: [Tensor<2>; 3],
    biases: [Tensor<1>; 3],
    precision: Precision,
) -> Tensor<2> {
    #[cfg(feature = "flex")]
    if cpu::computes(&x) {
        let [wq, wk, wv] = weights.map(Tensor::into_dispatch);
        let [bq, bk, bv] = biases.map(Tensor::into_dispatch);
        let x = x.into_dispatch();
        let y = <Dispatch as CpuOps>::query_key_value(x, wq, wk, wv, bq, bk, bv, precision);
        return Tensor::from_dispatch(y);
    }
    reference::side_by_side(x, weights, biases, precision)
}

/// Two linear maps of one input, for key and value alone: x·\[W₀ W₁\] + \[b₀ b₁\].
///
/// # Shapes
/// - `x`: `[num_tokens, hidden]`
/// - `weights`: `[hidden, hidden]` each, `biases`: `[hidden]` each
/// - output: `[num_tokens, 2 · hidden]`, the two side by side
pub fn key_value(
    x: Tensor<2>,
    weights: [Tensor<2>; 2],
    biases: [Tensor<1>; 2],
    precision: Precision,
) -> Tensor<2> {
    #[cfg(feature = "flex")]
    if cpu::computes(&x) {
        let [wk, wv] = weights.map(Tensor::into_dispatch);
        let [bk, bv] = biases.map(Tensor::into_dispatch);
        let y = <Dispatch as CpuOps>::key_value(x.into_dispatch(), wk, wv, bk, bv, precision);
        return Tensor::from_dispatch(y);
    }
    reference::side_by_side(x, weights, biases, precision)
}

/// O = dropout(softmax(QKᵀ/√d))·V for each sequence and head; a query sees the tokens of its own sequence
/// (Vaswani et al., 2017).
///
/// # Shapes
/// - `query_key_value`: `[num_tokens, 3 · hidden]`, Q, K and V side by side, the heads of each side by side,
///   d = hidden / num_heads
/// - output: `[num_tokens, hidden]`
///
/// # Panics
/// If `hidden` is not a multiple of `num_heads`, or the rows are not those of the layout.
pub fn attention(
    query_key_value: Tensor<2>,
    layout: &SequenceLayout,
    num_heads: usize,
    site: Option<DropoutSite>,
    precision: Precision,
) -> Tensor<2> {
    let [num_tokens, columns] = query_key_value.dims();
    assert_eq!(num_tokens, layout.num_tokens(), "one row for each token of the layout");
    assert_eq!(columns % (3 * num_heads), 0, "{columns} columns are not three times {num_heads} heads");
    #[cfg(feature = "flex")]
    if cpu::computes(&query_key_value) {
        let heads = heads(layout, num_heads, columns / 3, Queries::All, site);
        let qkv = query_key_value.into_dispatch();
        return Tensor::from_dispatch(<Dispatch as CpuOps>::attention(qkv, heads, precision));
    }
    #[cfg(feature = "cube")]
    if precision == Precision::Fp32
        && cube::computes(&query_key_value)
        && let Some(heads) = cube::Heads::new(layout, num_heads, columns / 3, site)
    {
        let qkv = query_key_value.into_dispatch();
        return Tensor::from_dispatch(<Dispatch as CubeOps>::attention(qkv, heads));
    }
    reference::attention(query_key_value, layout, num_heads, site, precision)
}

/// [`attention`] of each sequence's first token alone, `[CLS]`: what a classifier reads of the last layer. Keys and values
/// are those of all tokens.
///
/// # Shapes
/// - `query`: `[batch, hidden]`
/// - `key_value`: `[num_tokens, 2 · hidden]`, K and V side by side, the heads of each side by side
/// - output: `[batch, hidden]`: the rows that [`attention`] gives those tokens
///
/// # Panics
/// If `hidden` is not a multiple of `num_heads`, the rows are not those of the layout, or a sequence has no token.
pub fn first_token_attention(
    query: Tensor<2>,
    key_value: Tensor<2>,
    layout: &SequenceLayout,
    num_heads: usize,
    site: Option<DropoutSite>,
    precision: Precision,
) -> Tensor<2> {
    let [rows, hidden] = query.dims();
    assert_eq!(rows, layout.batch_size(), "one query for each sequence");
    assert!(layout.lengths.iter().all(|&length| length > 0), "every sequence has a first token");
    assert_eq!(key_value.dims(), [layout.num_tokens(), 2 * hidden], "a key and a value for each token");
    assert_eq!(hidden % num_heads, 0, "{hidden} columns are not {num_heads} heads");
    #[cfg(feature = "flex")]
    if cpu::computes(&query) {
        let heads = heads(layout, num_heads, hidden, Queries::First, site);
        let (query, key_value) = (query.into_dispatch(), key_value.into_dispatch());
        let output = <Dispatch as CpuOps>::first_token_attention(query, key_value, heads, precision);
        return Tensor::from_dispatch(output);
    }
    reference::first_token_attention(query, key_value, layout, num_heads, site, precision)
}

/// y = γ·(x − μ)/√(σ² + ε) + β, with mean and (biased) variance of each row (Ba, Kiros and Hinton, 2016).
///
/// # Shapes
/// - `x`, output: `[num_tokens, hidden]`
/// - `weight` (γ), `bias` (β): `[hidden]`
pub fn layer_norm(x: Tensor<2>, weight: Tensor<1>, bias: Tensor<1>, epsilon: f64) -> Tensor<2> {
    #[cfg(feature = "flex")]
    if cpu::computes(&x) {
        let [x, weight, bias] = [x.into_dispatch(), weight.into_dispatch(), bias.into_dispatch()];
        return Tensor::from_dispatch(<Dispatch as CpuOps>::layer_norm(x, weight, bias, epsilon));
    }
    #[cfg(feature = "cube")]
    if cube::computes(&x) {
        let [x, weight, bias] = [x.into_dispatch(), weight.into_dispatch(), bias.into_dispatch()];
        let norm = cube::Norm { epsilon, adds: false, mask: None };
        return Tensor::from_dispatch(<Dispatch as CubeOps>::layer_norm(x, weight, bias, norm));
    }
    reference::layer_norm(x, weight, bias, epsilon)
}

/// y = LayerNorm(residual + dropout(x)).
///
/// # Shapes
/// - `x`, `residual`, output: `[num_tokens, hidden]`
/// - `weight` (γ), `bias` (β): `[hidden]`
pub fn add_layer_norm(
    x: Tensor<2>,
    residual: Tensor<2>,
    weight: Tensor<1>,
    bias: Tensor<1>,
    epsilon: f64,
    layout: &SequenceLayout,
    site: Option<DropoutSite>,
) -> Tensor<2> {
    #[cfg(feature = "flex")]
    if cpu::computes(&x) {
        let mask = mask(site, Some(layout), x.dims()[0]);
        let [x, residual, weight, bias] =
            [x.into_dispatch(), residual.into_dispatch(), weight.into_dispatch(), bias.into_dispatch()];
        let y = <Dispatch as CpuOps>::add_layer_norm(x, residual, weight, bias, epsilon, mask);
        return Tensor::from_dispatch(y);
    }
    #[cfg(feature = "cube")]
    if cube::computes(&x) {
        let norm = cube::Norm { epsilon, adds: true, mask: cube::Mask::of_rows(site, layout) };
        let [x, residual, weight, bias] =
            [x.into_dispatch(), residual.into_dispatch(), weight.into_dispatch(), bias.into_dispatch()];
        let y = <Dispatch as CubeOps>::add_layer_norm(x, residual, weight, bias, norm);
        return Tensor::from_dispatch(y);
    }
    reference::add_layer_norm(x, residual, weight, bias, epsilon, layout, site)
}

/// y = h·Φ(h) with h = x + b: GELU, exact (Hendrycks and Gimpel, 2016).
///
/// # Shapes
/// - `x`, output: `[num_tokens, intermediate]`
/// - `bias`: `[intermediate]`
pub fn bias_gelu(x: Tensor<2>, bias: Tensor<1>) -> Tensor<2> {
    #[cfg(feature = "flex")]
    if cpu::computes(&x) {
        return Tensor::from_dispatch(<Dispatch as CpuOps>::bias_gelu(
            x.into_dispatch(),
            bias.into_dispatch(),
        ));
    }
    reference::bias_gelu(x, bias)
}

/// y = gelu(x + b)·W + c. For backward `x` is kept, the activation is computed again.
///
/// # Shapes
/// - `x`: `[num_tokens, intermediate]`, `bias` (b): `[intermediate]`
/// - `weight`: `[intermediate, hidden]`, `output_bias` (c): `[hidden]`
/// - output: `[num_tokens, hidden]`
pub fn bias_gelu_linear(
    x: Tensor<2>,
    bias: Tensor<1>,
    weight: Tensor<2>,
    output_bias: Tensor<1>,
    precision: Precision,
) -> Tensor<2> {
    #[cfg(feature = "flex")]
    if cpu::computes(&x) {
        let [x, bias, weight, output_bias] =
            [x.into_dispatch(), bias.into_dispatch(), weight.into_dispatch(), output_bias.into_dispatch()];
        let y = <Dispatch as CpuOps>::bias_gelu_linear(x, bias, weight, output_bias, precision);
        return Tensor::from_dispatch(y);
    }
    reference::bias_gelu_linear(x, bias, weight, output_bias, precision)
}

/// `word[id] + position[p] + token_type[0]`; every token is of the first type, as in a classification of single texts.
/// A model without token types, such as DistilBERT, adds none.
///
/// # Shapes
/// - `input_ids`: `[num_tokens]`
/// - `word`: `[vocab_size, hidden]`, `position`: `[max_position_embeddings, hidden]`,
///   `token_type`: `[type_vocab_size, hidden]`
/// - output: `[num_tokens, hidden]`
///
/// # Panics
/// If there are not as many ids as the layout has rows.
pub fn embeddings(
    input_ids: Tensor<1, Int>,
    layout: &SequenceLayout,
    word: Tensor<2>,
    position: Tensor<2>,
    token_type: Option<Tensor<2>>,
) -> Tensor<2> {
    assert_eq!(input_ids.dims(), [layout.num_tokens()], "one id for each row of the layout");
    #[cfg(feature = "flex")]
    if cpu::computes(&word) {
        let ids = input_ids.into_data().iter::<i64>().map(|id| id as u32).collect();
        let rows = TokenRows { ids, positions: layout.positions().map(|position| position as u32).collect() };
        let token_type = token_type.unwrap_or_else(|| Tensor::zeros([1, word.dims()[1]], &word.device()));
        let [word, position, token_type] =
            [word.into_dispatch(), position.into_dispatch(), token_type.into_dispatch()];
        return Tensor::from_dispatch(<Dispatch as CpuOps>::embeddings(word, position, token_type, rows));
    }
    reference::embeddings(input_ids, layout, word, position, token_type)
}

/// y + s·dropout(x)·A·B in some columns of y: what an adapter adds to a map of x (Hu et al., 2021).
///
/// # Shapes
/// - `y`, output: `[rows, columns]`
/// - `x`: `[rows, in]`
/// - `[a, b]`: `[in, r]` and `[r, out]`, added to the `out` columns of y from `first_column` on
/// - `layout`: of the rows; `None` for one row for each sequence
pub fn add_low_rank(
    y: Tensor<2>,
    x: Tensor<2>,
    [a, b]: [Tensor<2>; 2],
    scaling: f64,
    first_column: usize,
    layout: Option<&SequenceLayout>,
    site: Option<DropoutSite>,
) -> Tensor<2> {
    #[cfg(feature = "flex")]
    if cpu::computes(&y) {
        let mask = mask(site, layout, x.dims()[0]);
        let [y, x, a, b] = [y, x, a, b].map(Tensor::into_dispatch);
        let sum = <Dispatch as CpuOps>::add_low_rank(y, x, a, b, scaling, first_column, mask);
        return Tensor::from_dispatch(sum);
    }
    reference::add_low_rank(y, x, [a, b], scaling, first_column, layout, site)
}

/// The row of each sequence's first token, `[CLS]`.
///
/// # Shapes
/// - `x`: `[num_tokens, hidden]`
/// - output: `[batch, hidden]`
///
/// # Panics
/// If there are not as many rows as in the layout, or a sequence has no token.
pub fn first_tokens(x: Tensor<2>, layout: &SequenceLayout) -> Tensor<2> {
    assert_eq!(x.dims()[0], layout.num_tokens(), "one row for each token of the layout");
    assert!(layout.lengths.iter().all(|&length| length > 0), "every sequence has a first token");
    #[cfg(feature = "flex")]
    if cpu::computes(&x) {
        let starts = layout.starts().into();
        return Tensor::from_dispatch(<Dispatch as CpuOps>::first_tokens(x.into_dispatch(), starts));
    }
    reference::first_tokens(x, layout)
}

/// L = −Σ T · log softmax(x): the sum of the cross-entropies of a batch, not yet divided.
///
/// # Shapes
/// - `logits` (x): `[batch, num_labels]`
/// - `targets` (T): `[batch, num_labels]`, how much each label's log-probability counts; constants without a gradient
/// - output: `[1]`
pub fn cross_entropy_sum(logits: Tensor<2>, targets: Tensor<2>) -> Tensor<1> {
    assert_eq!(logits.dims(), targets.dims(), "a target for each logit");
    #[cfg(feature = "flex")]
    if cpu::computes(&logits) {
        let (logits, targets) = (logits.into_dispatch(), targets.into_dispatch());
        return Tensor::from_dispatch(<Dispatch as CpuOps>::cross_entropy_sum(logits, targets));
    }
    reference::cross_entropy_sum(logits, targets)
}

/// Zeroes each element with the site's rate and scales the others by 1/(1 − rate).
///
/// # Shapes
/// - `x`, output: `[num_tokens, hidden]`, or `[batch, hidden]` with one row for each sequence, when `layout`
///   is `None`
pub fn dropout(x: Tensor<2>, layout: Option<&SequenceLayout>, site: Option<DropoutSite>) -> Tensor<2> {
    #[cfg(feature = "flex")]
    if cpu::computes(&x) {
        let Some(mask) = mask(site, layout, x.dims()[0]) else { return x };
        return Tensor::from_dispatch(<Dispatch as CpuOps>::dropout(x.into_dispatch(), mask));
    }
    reference::dropout(x, layout, site)
}

#[cfg(feature = "flex")]
fn heads(
    layout: &SequenceLayout,
    num_heads: usize,
    hidden: usize,
    queries: Queries,
    site: Option<DropoutSite>,
) -> Heads {
    Heads { layout: layout.clone(), num_heads, width: hidden / num_heads, queries, site }
}

#[cfg(feature = "flex")]
fn mask(site: Option<DropoutSite>, layout: Option<&SequenceLayout>, rows: usize) -> Option<Mask> {
    let site = site.filter(|site| site.rate > 0.0)?;
    Some(Mask { keys: site.rows(layout, rows).into(), rate: site.rate })
}
