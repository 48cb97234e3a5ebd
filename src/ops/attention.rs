//! Scaled dot-product attention (spec 3.3), its queries and keys turned by position.

use burn::tensor::{Tensor, TensorData, module, ops::AttentionModuleOptions};

use super::rotary::Rotary;
use super::wgsl::{Buffer, Variant, attention as kernel};
use super::{gemm, host};

/// Attention of a stream over itself: `qkv` `[tokens, 3 * heads * d]` to `[tokens, heads * d]`.
pub(crate) fn attend_own(qkv: Tensor<2>, heads: usize, rotary: Option<&Rotary>) -> Tensor<2> {
    let [tokens, triple] = qkv.dims();
    let (width, d) = (triple / 3, triple / 3 / heads);
    if let Some(variant) = Variant::of(&qkv.device()).filter(|_| kernel::fits(d))
        && let Some(turns) = tables([rotary, rotary])
        && let Some(buffer) = Buffer::of(qkv.clone())
    {
        return kernel::attend(variant, kernel::Streams::Own(&buffer), turns, [tokens; 2], [heads, d]).tensor();
    }
    let part = |i: usize| heads_of(qkv.clone().narrow(1, i * width, width), heads);
    join_heads(attend(turn(part(0), rotary), turn(part(1), rotary), part(2)))
}

/// Attention of one stream `[queries, heads * d]` over another, `[keys, heads * d]` each.
pub(crate) fn attend_other(
    [q, k, v]: [Tensor<2>; 3],
    heads: usize,
    of_q: Option<&Rotary>,
    of_k: Option<&Rotary>,
) -> Tensor<2> {
    let ([queries, width], [keys, _]) = (q.dims(), k.dims());
    let d = width / heads;
    if let Some(variant) = Variant::of(&q.device()).filter(|_| kernel::fits(d))
        && let Some(turns) = tables([of_q, of_k])
        && let [Some(q), Some(k), Some(v)] = [&q, &k, &v].map(|t| Buffer::of(t.clone()))
    {
        let streams = kernel::Streams::Other([&q, &k, &v]);
        return kernel::attend(variant, streams, turns, [queries, keys], [heads, d]).tensor();
    }
    let [q, k, v] = [q, k, v].map(|t| heads_of(t, heads));
    join_heads(attend(turn(q, of_q), turn(k, of_k), v))
}

/// Tables as the kernels take them; `None` where one of them is of another form.
fn tables([a, b]: [Option<&Rotary>; 2]) -> Option<kernel::Turns<'_>> {
    match (a.map(Rotary::kernel), b.map(Rotary::kernel)) {
        (Some(None), _) | (_, Some(None)) => None,
        (a, b) => {
            let (a, b) = (a.flatten(), b.flatten());
            let half = a.or(b).is_some_and(|(_, half)| half);
            Some(kernel::Turns { queries: a.map(|(tables, _)| tables), keys: b.map(|(tables, _)| tables), half })
        }
    }
}

fn turn(t: Tensor<3>, rotary: Option<&Rotary>) -> Tensor<3> {
    match rotary {
        Some(rotary) => rotary.apply(t),
        None => t,
    }
}

/// `[tokens, heads * d]` to `[tokens, heads, d]`.
fn heads_of(x: Tensor<2>, heads: usize) -> Tensor<3> {
    let [tokens, channels] = x.dims();
    x.reshape([tokens, heads, channels / heads])
}

/// `[tokens, heads, d]` to `[tokens, heads * d]`.
fn join_heads(x: Tensor<3>) -> Tensor<2> {
    let [tokens, heads, d] = x.dims();
    x.reshape([tokens, heads * d])
}

/// Scores that the CPU holds at once (32 MiB); beyond, they are never all there.
const HOST_SCORES: usize = 8 << 20;

/// `softmax(q k^T / sqrt d) v` per head; `[tokens, heads, d]` in and out, `k` and `v` of any length.
fn attend(q: Tensor<3>, k: Tensor<3>, v: Tensor<3>) -> Tensor<3> {
    let ([queries, heads, d], [keys, _, _]) = (q.dims(), k.dims());
    if host::uses_panels(&q.device()) {
        let device = q.device();
        let data = [q, k, v].map(Tensor::into_data);
        // Every tensor of the network is f32.
        let [q, k, v] = data.each_ref().map(|data| data.as_slice::<f32>().unwrap_or_default());
        let out = gemm::attend(q, k, v, heads, d);
        return Tensor::from_data(TensorData::new(out, [queries, heads, d]), &device);
    }
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
