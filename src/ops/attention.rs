//! Scaled dot-product attention (spec 3.3).

use burn::tensor::{Tensor, module, ops::AttentionModuleOptions};

/// `[tokens, heads * d]` to `[tokens, heads, d]`.
pub(crate) fn heads_of(x: Tensor<2>, heads: usize) -> Tensor<3> {
    let [tokens, channels] = x.dims();
    x.reshape([tokens, heads, channels / heads])
}

/// `[tokens, heads, d]` to `[tokens, heads * d]`.
pub(crate) fn join_heads(x: Tensor<3>) -> Tensor<2> {
    let [tokens, heads, d] = x.dims();
    x.reshape([tokens, heads * d])
}

/// `softmax(q k^T / sqrt d) v` per head; `[tokens, heads, d]` in and out, `k` and `v` of any length.
pub(crate) fn attend(q: Tensor<3>, k: Tensor<3>, v: Tensor<3>) -> Tensor<3> {
    let by_head = |x: Tensor<3>| x.swap_dims(0, 1).unsqueeze::<4>();
    let out = module::attention(by_head(q), by_head(k), by_head(v), None, None, AttentionModuleOptions::default());
    out.squeeze_dim::<3>(0).swap_dims(0, 1)
}
