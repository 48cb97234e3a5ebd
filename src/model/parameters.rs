//! Name, shape and use of every parameter of a network, derived from its `Config` (spec section 6).

use super::config::{Component, Config, ParameterSpec};
use super::embed::POSITION_INPUTS;

/// Collects parameters under a component while the tree is walked.
struct List {
    specs: Vec<ParameterSpec>,
    component: Component,
    used: bool,
}

impl List {
    fn add(&mut self, name: impl Into<String>, shape: &[usize]) {
        let (component, used) = (self.component, self.used);
        self.specs.push(ParameterSpec { name: name.into(), shape: shape.to_vec(), component, used });
    }

    fn unused(&mut self, add: impl FnOnce(&mut Self)) {
        let before = std::mem::replace(&mut self.used, false);
        add(self);
        self.used = before;
    }

    fn linear(&mut self, prefix: &str, input: usize, output: usize) {
        self.add(format!("{prefix}.weight"), &[output, input]);
        self.add(format!("{prefix}.bias"), &[output]);
    }

    fn norm(&mut self, prefix: &str, dim: usize) {
        self.add(format!("{prefix}.weight"), &[dim]);
        self.add(format!("{prefix}.bias"), &[dim]);
    }

    fn conv(&mut self, prefix: &str, input: usize, output: usize, kernel: usize, bias: bool) {
        self.add(format!("{prefix}.weight"), &[output, input, kernel, kernel]);
        if bias {
            self.add(format!("{prefix}.bias"), &[output]);
        }
    }

    fn mlp(&mut self, prefix: &str, dim: usize, ratio: usize) {
        self.linear(&format!("{prefix}.fc1"), dim, ratio * dim);
        self.linear(&format!("{prefix}.fc2"), ratio * dim, dim);
    }

    fn self_attention(&mut self, prefix: &str, dim: usize) {
        self.linear(&format!("{prefix}.qkv"), dim, 3 * dim);
        self.linear(&format!("{prefix}.proj"), dim, dim);
    }

    /// Linear patches, or the stem; and the position added to tokens.
    fn image_embedding(&mut self, config: &Config) {
        let e = config.enc_embed_dim;
        match config.stem {
            None => self.conv("patch_embed.proj", 3, e, config.patch_size, true),
            Some(channels) => {
                let mut input = 3;
                for (i, output) in channels.into_iter().enumerate() {
                    self.conv(&format!("patch_embed.convs.{i}"), input, output, 3, false);
                    self.norm(&format!("patch_embed.norms.{i}"), output);
                    input = output;
                }
                self.conv("patch_embed.proj", input, e, 1, true);
            }
        }
        if config.encoder_position {
            self.linear("enc_pos", POSITION_INPUTS, e);
        }
    }

    /// Plain block (spec 3.4).
    fn block(&mut self, prefix: &str, dim: usize, ratio: usize) {
        self.norm(&format!("{prefix}.norm1"), dim);
        self.self_attention(&format!("{prefix}.attn"), dim);
        self.norm(&format!("{prefix}.norm2"), dim);
        self.mlp(&format!("{prefix}.mlp"), dim, ratio);
    }

    /// Decoder block (spec 3.5). `single_key`: the other stream is one token, so its attention is a constant
    /// and query, key and the query's norm cannot matter (spec 4.6).
    fn decoder_block(&mut self, prefix: &str, dim: usize, ratio: usize, single_key: bool) {
        self.norm(&format!("{prefix}.norm1"), dim);
        self.self_attention(&format!("{prefix}.attn"), dim);
        let query = |list: &mut Self| {
            list.linear(&format!("{prefix}.cross_attn.projq"), dim, dim);
            list.linear(&format!("{prefix}.cross_attn.projk"), dim, dim);
            list.norm(&format!("{prefix}.norm2"), dim);
        };
        if single_key {
            self.unused(query);
        } else {
            query(self);
        }
        self.linear(&format!("{prefix}.cross_attn.projv"), dim, dim);
        self.linear(&format!("{prefix}.cross_attn.proj"), dim, dim);
        self.norm(&format!("{prefix}.norm3"), dim);
        self.mlp(&format!("{prefix}.mlp"), dim, ratio);
        self.norm(&format!("{prefix}.norm_y"), dim);
    }

    /// Pose-conditioned block (spec 3.6).
    fn conditioned_block(&mut self, prefix: &str, dim: usize, ratio: usize) {
        for norm in ["norm1", "norm2"] {
            self.norm(&format!("{prefix}.{norm}.norm"), dim);
            self.linear(&format!("{prefix}.{norm}.mlp.1"), dim, 2 * dim);
        }
        self.self_attention(&format!("{prefix}.attn"), dim);
        self.mlp(&format!("{prefix}.mlp"), dim, ratio);
    }

    /// Dense head (spec 5.2).
    fn dense_head(&mut self, prefix: &str, config: &Config) {
        let dpt = &config.dpt;
        let [d0, d1, d2, d3] = dpt.layer_dims;
        let f = dpt.feature_dim;
        let act = format!("{prefix}.act_postprocess");
        self.conv(&format!("{act}.0.0"), config.enc_embed_dim, d0, 1, true);
        self.add(format!("{act}.0.1.weight"), &[d0, d0, 4, 4]);
        self.add(format!("{act}.0.1.bias"), &[d0]);
        self.conv(&format!("{act}.1.0"), config.dec_embed_dim, d1, 1, true);
        self.add(format!("{act}.1.1.weight"), &[d1, d1, 2, 2]);
        self.add(format!("{act}.1.1.bias"), &[d1]);
        self.conv(&format!("{act}.2.0"), config.dec_embed_dim, d2, 1, true);
        self.conv(&format!("{act}.3.0"), config.dec_embed_dim, d3, 1, true);
        self.conv(&format!("{act}.3.1"), d3, d3, 3, true);
        if let (Some([_, fine, ..]), true) = (config.stem, config.dense_skip) {
            self.conv(&format!("{prefix}.skip"), fine, f, 3, true);
        }
        for (level, dim) in (1..).zip(dpt.layer_dims) {
            self.conv(&format!("{prefix}.scratch.layer{level}_rn"), dim, f, 3, false);
        }
        for level in 1..=4 {
            let net = format!("{prefix}.scratch.refinenet{level}");
            self.conv(&format!("{net}.out_conv"), f, f, 1, true);
            for unit in 1..=2 {
                let convs = |list: &mut Self| {
                    for conv in 1..=2 {
                        list.conv(&format!("{net}.resConfUnit{unit}.conv{conv}"), f, f, 3, true);
                    }
                };
                // The coarsest level has nothing to add to, so its first unit never runs.
                if level == 4 && unit == 1 {
                    self.unused(convs);
                } else {
                    convs(self);
                }
            }
        }
        self.conv(&format!("{prefix}.head.0"), f, f / 2, 3, true);
        self.conv(&format!("{prefix}.head.2"), f / 2, dpt.last_dim, 3, true);
        self.conv(&format!("{prefix}.head.4"), dpt.last_dim, 4, 1, true);
    }
}

impl Config {
    /// Every parameter of this network, in checkpoint order by component.
    #[must_use]
    pub fn parameters(&self) -> Vec<ParameterSpec> {
        let (e, d) = (self.enc_embed_dim, self.dec_embed_dim);
        let p = self.patch_size;
        let mut list = List { specs: Vec::new(), component: Component::Encoder, used: true };

        list.image_embedding(self);
        for i in 0..self.enc_depth {
            list.block(&format!("enc_blocks.{i}"), e, self.mlp_ratio);
        }
        list.norm("enc_norm", e);

        list.component = Component::Decoder;
        list.linear("decoder_embed", e, d);
        for i in 0..self.dec_depth {
            list.decoder_block(&format!("dec_blocks.{i}"), d, self.mlp_ratio, false);
        }
        list.norm("dec_norm", d);

        list.component = Component::MemoryDecoder;
        list.linear("decoder_embed_memory", e, d);
        for i in 0..self.dec_depth {
            let block = |list: &mut List| {
                list.decoder_block(&format!("dec_blocks_memory.{i}"), d, self.mlp_ratio, false);
            };
            // Nothing reads the memory stream after its last block (spec 4.4).
            if i + 1 == self.dec_depth {
                list.unused(block);
            } else {
                block(&mut list);
            }
        }
        list.unused(|list| list.norm("dec_norm_memory", d));

        list.component = Component::PoseMemory;
        let (pm, slots) = (self.pose_memory_dim(), self.pose_memory_slots());
        list.add("pose_token", &[1, 1, d]);
        list.add("pose_retriever.masked_token", &[1, 1, d]);
        list.add("pose_retriever.mem", &[1, slots, pm]);
        list.linear("pose_retriever.proj_q", e, d);
        for (kind, single_key) in [("write", true), ("read", false)] {
            for i in 0..self.pose_memory.depth {
                let prefix = format!("pose_retriever.{kind}_blocks.{i}");
                list.decoder_block(&prefix, pm, self.pose_memory.mlp_ratio, single_key);
            }
        }

        list.component = Component::ValueEncoder;
        list.conv("pts_patch_embed.proj", 3, e, p, true);
        for i in 0..self.value_encoder.depth {
            list.block(&format!("value_encoder.{i}"), self.value_dim(), self.value_encoder.mlp_ratio);
        }
        list.norm("value_norm", self.value_dim());
        list.linear("value_out", self.value_dim(), e);

        list.component = Component::PointerHead;
        let head = &self.memory_attn_head;
        list.linear("memory_attn_head.0", head.in_dim, head.hidden);
        list.linear("memory_attn_head.2", head.hidden, head.out);

        list.component = Component::DenseHeads;
        list.dense_head("downstream_head.dpt_self", self);
        list.dense_head("downstream_head.dpt_cross", self);

        list.component = Component::PoseHeads;
        for i in 0..self.final_transform.depth {
            let prefix = format!("downstream_head.final_transform.{i}");
            list.conditioned_block(&prefix, d, self.final_transform.mlp_ratio);
        }
        let hidden = d * self.pose_head.mlp_ratio;
        list.linear("downstream_head.pose_head.mlp.fc1", d, hidden);
        list.linear("downstream_head.pose_head.mlp.fc2", hidden, self.pose_head.out);
        list.specs
    }

    /// Number of values over all parameters.
    #[must_use]
    pub fn parameter_count(&self) -> usize {
        self.parameters().iter().map(ParameterSpec::len).sum()
    }
}

/// The canonical key of a checkpoint key: `module.` is stripped and `scratch.layer_rn.{0..3}` is the
/// duplicate of `scratch.layer{1..4}_rn` (spec 6). `(key, is_alias)`.
#[must_use]
pub fn canonical_key(key: &str) -> (String, bool) {
    let key = key.strip_prefix("module.").unwrap_or(key);
    for level in 0..4 {
        let alias = format!(".scratch.layer_rn.{level}.");
        if key.contains(&alias) {
            return (key.replace(&alias, &format!(".scratch.layer{}_rn.", level + 1)), true);
        }
    }
    (key.to_owned(), false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn released_model_has_the_published_number_of_parameters() {
        assert_eq!(Config::released().parameter_count(), 828_014_991);
        assert_eq!(Config::released().parameters().len(), 1223);
    }

    #[test]
    fn aliases_point_at_the_canonical_key() {
        assert_eq!(
            canonical_key("module.downstream_head.dpt_self.scratch.layer_rn.2.weight"),
            ("downstream_head.dpt_self.scratch.layer3_rn.weight".into(), true)
        );
        assert_eq!(canonical_key("enc_norm.bias"), ("enc_norm.bias".into(), false));
    }

    #[test]
    fn our_configs_are_valid() {
        Config::released().validate().unwrap();
        Config::small().validate().unwrap();
    }
}
