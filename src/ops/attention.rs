//! Scaled dot-product attention (spec 3.3).

use burn::tensor::{Tensor, module, ops::AttentionModuleOptions};

use super::host;

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

/// Scores that the CPU holds at once (32 MiB); beyond, they are never all there.
const HOST_SCORES: usize = 8 << 20;

/// `softmax(q k^T / sqrt d) v` per head; `[tokens, heads, d]` in and out, `k` and `v` of any length.
pub(crate) fn attend(q: Tensor<3>, k: Tensor<3>, v: Tensor<3>) -> Tensor<3> {
    let ([queries, heads, d], [keys, _, _]) = (q.dims(), k.dims());
    let on_host = host::is_host(&q.device()) && queries * heads * keys <= HOST_SCORES;
    let [q, k, v] = [q, k, v].map(|x| x.swap_dims(0, 1));
    let out = if on_host {
        #[expect(clippy::cast_precision_loss, reason = "a head width")]
        let scale = (d as f32).sqrt().recip();
        let scores = q.matmul(k.swap_dims(1, 2));
        host::in_place(scores, |scores| host::softmax(scores, keys, scale)).matmul(v)
    } else {
        let [q, k, v] = [q, k, v].map(Tensor::unsqueeze::<4>);
        module::attention(q, k, v, None, None, AttentionModuleOptions::default()).squeeze_dim(0)
    };
    out.swap_dims(0, 1)
}
