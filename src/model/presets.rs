//! Networks by name: the released one, the reference tensors' and the default model's shape.

use super::config::{Config, Dpt, PointerHead, PoseHead, Stack, WeightGenerator};

impl Config {
    /// The released 512 model (spec 1): 828 014 991 parameters.
    #[must_use]
    pub fn released() -> Self {
        Self {
            patch_size: 16,
            enc_embed_dim: 1024,
            enc_depth: 24,
            enc_num_heads: 16,
            dec_embed_dim: 768,
            dec_depth: 12,
            dec_num_heads: 12,
            memory_dec_num_heads: 16,
            mlp_ratio: 4,
            value_encoder: Stack { depth: 6, dim: Some(1024), heads: 16, mlp_ratio: 4, slots: None },
            pose_memory: Stack { depth: 2, dim: Some(1536), heads: 12, mlp_ratio: 4, slots: Some(256) },
            dpt: Dpt { layer_dims: [96, 192, 384, 768], feature_dim: 256, last_dim: 128, hooks: [0, 6, 9, 12] },
            final_transform: Stack { depth: 2, dim: None, heads: 12, mlp_ratio: 4, slots: None },
            pose_head: PoseHead::default(),
            memory_attn_head: PointerHead { in_dim: 1792, hidden: 1792, out: 1024 },
            layer_norm_eps: 1e-6,
            rope2d_base: 100.0,
            rope3d_bases: vec![10.0, 100.0, 1000.0, 10_000.0],
            merge_len_unit: 20,
            stem: None,
            encoder_position: false,
            dense_skip: false,
            weight_generator: None,
            image_size: 512,
        }
    }

    /// The released sizes with formula weights: what a verification folder without `config.json` means.
    #[must_use]
    pub fn released_formula() -> Self {
        let weight_generator = Some(WeightGenerator { head4_gain: 0.2, rounded_to: None });
        Self { weight_generator, ..Self::released() }
    }

    /// The smallest network with the real head widths: what the reference tensors are made with.
    #[must_use]
    pub fn tiny() -> Self {
        let stack = |depth, dim, heads, slots| Stack { depth, dim, heads, mlp_ratio: 2, slots };
        Self {
            enc_embed_dim: 128,
            enc_depth: 2,
            enc_num_heads: 2,
            dec_embed_dim: 192,
            dec_depth: 4,
            dec_num_heads: 3,
            memory_dec_num_heads: 4,
            mlp_ratio: 2,
            value_encoder: stack(2, Some(128), 2, None),
            pose_memory: stack(1, Some(384), 3, Some(16)),
            dpt: Dpt { layer_dims: [12, 24, 48, 96], feature_dim: 32, last_dim: 16, hooks: [0, 2, 3, 4] },
            final_transform: stack(2, None, 3, None),
            memory_attn_head: PointerHead { in_dim: 320, hidden: 320, out: 128 },
            weight_generator: Some(WeightGenerator { head4_gain: 0.4, rounded_to: Some("f16".into()) }),
            image_size: 64,
            ..Self::released()
        }
    }

    /// A small network for phones and for the CPU: the shape of the default model.
    #[must_use]
    pub fn small() -> Self {
        Self {
            enc_embed_dim: 192,
            enc_depth: 8,
            enc_num_heads: 4,
            dec_embed_dim: 192,
            dec_depth: 4,
            dec_num_heads: 4,
            memory_dec_num_heads: 4,
            mlp_ratio: 4,
            value_encoder: Stack { depth: 1, dim: Some(192), heads: 4, mlp_ratio: 4, slots: None },
            pose_memory: Stack { depth: 1, dim: Some(384), heads: 4, mlp_ratio: 1, slots: Some(16) },
            dpt: Dpt { layer_dims: [32, 48, 64, 96], feature_dim: 48, last_dim: 24, hooks: [0, 2, 3, 4] },
            final_transform: Stack { depth: 2, dim: None, heads: 4, mlp_ratio: 4, slots: None },
            memory_attn_head: PointerHead { in_dim: 384, hidden: 384, out: 192 },
            stem: Some([24, 48, 96, 192]),
            encoder_position: true,
            dense_skip: true,
            weight_generator: Some(WeightGenerator { head4_gain: 0.2, rounded_to: None }),
            image_size: 128,
            ..Self::released()
        }
    }
}
