//! Every dimension of a network, and from it the name and shape of every parameter (spec sections 1, 6).
//!
//! `config.json` is the only description of a network: the released model, the small reference network
//! of the tests and our own default model are the same code with different values here.

use serde::{Deserialize, Serialize};

/// A stack of transformer blocks that are all alike.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stack {
    /// Number of blocks.
    pub depth: usize,
    /// Embedding width; absent where the file implies it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dim: Option<usize>,
    /// Attention heads.
    pub heads: usize,
    /// Hidden width of the MLP divided by the embedding width.
    #[serde(default = "released_mlp_ratio")]
    pub mlp_ratio: usize,
    /// Slots, for the pose memory only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slots: Option<usize>,
}

/// Sizes of the dense prediction heads (spec 5.2).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dpt {
    /// Channels of the four reassembled levels, fine to coarse.
    pub layer_dims: [usize; 4],
    /// Channels of the fusion path.
    pub feature_dim: usize,
    /// Channels before the last 1x1 convolution.
    pub last_dim: usize,
    /// Decoder outputs read by the four levels: 0 is the encoder, i >= 1 the image stream after block i.
    #[serde(rename = "hooks_decoder")]
    pub hooks: [usize; 4],
}

/// Every stack of the released model has this ratio.
const fn released_mlp_ratio() -> usize {
    4
}

/// Pose head sizes (spec 5.1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PoseHead {
    /// Hidden width divided by the decoder width.
    pub mlp_ratio: usize,
    /// Output values: 3 for the translation, 4 for the quaternion.
    pub out: usize,
}

impl Default for PoseHead {
    fn default() -> Self {
        Self { mlp_ratio: released_mlp_ratio(), out: 7 }
    }
}

/// Pointer-feature head sizes (spec 4.7).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PointerHead {
    /// Encoder width plus decoder width.
    pub in_dim: usize,
    /// Hidden width.
    pub hidden: usize,
    /// Encoder width.
    pub out: usize,
}

/// How formula weights of this network are made, for tests without a checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WeightGenerator {
    /// Gain of the last convolution of both dense heads.
    pub head4_gain: f64,
    /// `f16` when every value is rounded to half precision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rounded_to: Option<String>,
}

/// Every dimension of a network. Fields that a file leaves out follow the released model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// Side of a square image patch, pixels.
    pub patch_size: usize,
    /// Encoder width.
    pub enc_embed_dim: usize,
    /// Encoder blocks.
    pub enc_depth: usize,
    /// Encoder heads.
    pub enc_num_heads: usize,
    /// Width of both decoder streams.
    pub dec_embed_dim: usize,
    /// Blocks of each decoder stream.
    pub dec_depth: usize,
    /// Heads of the image stream.
    pub dec_num_heads: usize,
    /// Heads of the memory stream: not the same number in the released model (spec 1).
    pub memory_dec_num_heads: usize,
    /// MLP ratio of encoder and decoders.
    pub mlp_ratio: usize,
    /// Transformer over the predicted point map.
    pub value_encoder: Stack,
    /// Pose memory: `depth` read and as many write blocks over `slots` of width `dim`.
    pub pose_memory: Stack,
    /// Dense heads.
    pub dpt: Dpt,
    /// Pose-conditioned blocks of the world branch.
    pub final_transform: Stack,
    /// Pose head.
    pub pose_head: PoseHead,
    /// Pointer-feature head.
    pub memory_attn_head: PointerHead,
    /// Added to variances.
    pub layer_norm_eps: f64,
    /// Base of the 2-D rotary embedding.
    pub rope2d_base: f64,
    /// Bases of the 3-D rotary embedding, averaged.
    pub rope3d_bases: Vec<f64>,
    /// The merge threshold is the diagonal of everything seen divided by this (spec 4.8).
    pub merge_len_unit: usize,
    /// Channels of a convolutional stem (strides 2, 4, 8, 16) in place of the linear patch embedding. This and the next
    /// two are switches of small networks; the released model has none of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stem: Option<[usize; 4]>,
    /// Whether the place of a patch in the image, as sines and cosines, is added to its token.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub encoder_position: bool,
    /// Whether the stem's stride-4 map joins the finest level of both dense heads.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dense_skip: bool,
    /// How to make formula weights; absent for trained networks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight_generator: Option<WeightGenerator>,
    /// Nominal input size (long side, or 224): what `run` uses when no size is asked for.
    pub image_size: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self::released()
    }
}

/// A configuration that cannot be a network.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("this model's config is not usable: {0}. The file is damaged or made for another program")]
pub struct ConfigError(pub String);

/// Parts of the network, the unit in which sizes and errors are reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Component {
    /// Image patch embedding, encoder blocks, encoder norm.
    Encoder,
    /// Image stream and its input projection.
    Decoder,
    /// Memory stream and its input projection.
    MemoryDecoder,
    /// Pose memory and pose token.
    PoseMemory,
    /// Point-map patch embedding and value encoder.
    ValueEncoder,
    /// Pointer-feature head.
    PointerHead,
    /// The two dense heads.
    DenseHeads,
    /// World branch and pose head.
    PoseHeads,
}

/// One parameter: its checkpoint name and shape, and whether inference reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterSpec {
    /// Checkpoint key, without `module.` prefix or alias.
    pub name: String,
    /// Row-major shape as stored (linear layers `[out, in]`).
    pub shape: Vec<usize>,
    /// The part of the network it belongs to.
    pub component: Component,
    /// False for the parameters that cannot change any output (spec 1, last paragraph).
    pub used: bool,
}

impl ParameterSpec {
    /// Number of values.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// True for a tensor without values.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Largest value any dimension of a config may take: keeps a hostile file from asking for the moon.
const MAX_DIM: usize = 16_384;
const MAX_DEPTH: usize = 256;

impl Config {
    /// Reads and checks a `config.json`.
    ///
    /// # Errors
    /// When the text is not JSON of this form, or its values cannot be a network.
    pub fn from_json(text: &str) -> Result<Self, ConfigError> {
        let config: Self = serde_json::from_str(text).map_err(|e| ConfigError(e.to_string()))?;
        config.validate()?;
        Ok(config)
    }

    /// Width of the value encoder (= encoder width in the released model).
    #[must_use]
    pub fn value_dim(&self) -> usize {
        self.value_encoder.dim.unwrap_or(self.enc_embed_dim)
    }

    /// Width of a pose memory slot: a key half and a value half, both as wide as the decoder.
    #[must_use]
    pub fn pose_memory_dim(&self) -> usize {
        self.pose_memory.dim.unwrap_or(2 * self.dec_embed_dim)
    }

    /// Number of pose memory slots.
    #[must_use]
    pub fn pose_memory_slots(&self) -> usize {
        self.pose_memory.slots.unwrap_or(256)
    }

    /// Checks that the values fit together.
    ///
    /// # Errors
    /// Names the first value that does not.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let fail = |text: String| Err(ConfigError(text));
        let dims = [
            ("patch_size", self.patch_size),
            ("enc_embed_dim", self.enc_embed_dim),
            ("dec_embed_dim", self.dec_embed_dim),
            ("value_encoder.dim", self.value_dim()),
            ("pose_memory.dim", self.pose_memory_dim()),
            ("pose_memory.slots", self.pose_memory_slots()),
            ("dpt.layer_dims", self.dpt.layer_dims.into_iter().max().unwrap_or(0)),
            ("dpt.layer_dims", self.dpt.layer_dims.into_iter().min().unwrap_or(0)),
            ("dpt.feature_dim", self.dpt.feature_dim),
            ("dpt.last_dim", self.dpt.last_dim),
            ("memory_attn_head.hidden", self.memory_attn_head.hidden),
            ("merge_len_unit", self.merge_len_unit),
            ("stem", self.stem.into_iter().flatten().max().unwrap_or(1)),
            ("stem", self.stem.into_iter().flatten().min().unwrap_or(1)),
            ("image_size", self.image_size),
        ];
        for (name, value) in dims {
            if value == 0 || value > MAX_DIM {
                return fail(format!("{name} is {value}, expected 1 to {MAX_DIM}"));
            }
        }
        let depths = [
            ("enc_depth", self.enc_depth),
            ("dec_depth", self.dec_depth),
            ("value_encoder.depth", self.value_encoder.depth),
            ("pose_memory.depth", self.pose_memory.depth),
            ("final_transform.depth", self.final_transform.depth),
            ("mlp_ratio", self.mlp_ratio),
            ("value_encoder.mlp_ratio", self.value_encoder.mlp_ratio),
            ("pose_memory.mlp_ratio", self.pose_memory.mlp_ratio),
            ("final_transform.mlp_ratio", self.final_transform.mlp_ratio),
            ("pose_head.mlp_ratio", self.pose_head.mlp_ratio),
        ];
        for (name, value) in depths {
            if value == 0 || value > MAX_DEPTH {
                return fail(format!("{name} is {value}, expected 1 to {MAX_DEPTH}"));
            }
        }
        // 2-D rotary needs quarters of a head, 3-D rotary at least two channels per axis.
        let heads = [
            ("enc_num_heads", self.enc_embed_dim, self.enc_num_heads, 4),
            ("dec_num_heads", self.dec_embed_dim, self.dec_num_heads, 1),
            ("memory_dec_num_heads", self.dec_embed_dim, self.memory_dec_num_heads, 1),
            ("value_encoder.heads", self.value_dim(), self.value_encoder.heads, 4),
            ("pose_memory.heads", self.pose_memory_dim(), self.pose_memory.heads, 1),
            ("final_transform.heads", self.dec_embed_dim, self.final_transform.heads, 4),
        ];
        for (name, dim, heads, unit) in heads {
            if heads == 0 || dim % heads != 0 || (dim / heads) % unit != 0 || dim / heads < 6 {
                return fail(format!("{name} = {heads} does not divide a width of {dim} into usable heads"));
            }
        }
        if self.pose_memory_dim() != 2 * self.dec_embed_dim {
            return fail(format!("pose_memory.dim is {}, expected twice dec_embed_dim", self.pose_memory_dim()));
        }
        let p = &self.memory_attn_head;
        if p.in_dim != self.enc_embed_dim + self.dec_embed_dim || p.out != self.enc_embed_dim {
            return fail("memory_attn_head does not match encoder and decoder widths".into());
        }
        if self.value_dim() != self.enc_embed_dim {
            return fail("value_encoder.dim differs from enc_embed_dim, which pointer creation adds up".into());
        }
        let h = self.dpt.hooks;
        let ordered = h[0] == 0 && h[1] >= 1 && h.windows(2).all(|w| matches!(w, [a, b] if a < b));
        if !ordered || h[3] != self.dec_depth {
            return fail(format!("dpt.hooks_decoder {h:?} must rise from 0 to dec_depth"));
        }
        if self.dense_skip && self.stem.is_none() {
            return fail("dense_skip needs a stem".into());
        }
        if self.patch_size != 16 {
            return fail(format!("patch_size is {}, only 16 is known", self.patch_size));
        }
        if self.pose_head.out != 7 {
            return fail(format!("pose_head.out is {}, only 7 is known", self.pose_head.out));
        }
        if self.rope3d_bases.is_empty() || self.rope3d_bases.iter().any(|b| !b.is_finite() || *b <= 0.0) {
            return fail("rope3d_bases must be positive numbers".into());
        }
        if !self.rope2d_base.is_finite() || self.rope2d_base <= 0.0 || !(0.0..1.0).contains(&self.layer_norm_eps) {
            return fail("rope2d_base or layer_norm_eps is not usable".into());
        }
        Ok(())
    }
}
