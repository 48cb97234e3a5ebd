//! One frame through the network (spec section 4): the streaming interface.

use burn::tensor::{Device, Tensor};

use super::config::Config;
use super::decoder::{Decoder, StreamPositions};
use super::embed::{Embedded, ImageEmbedding};
use super::encoder::Encoder;
use super::error::ModelError;
use super::heads::{Heads, activate_pose};
use super::pointers::PointerNetwork;
use super::pose_memory::PoseMemory;
use super::prediction::Prediction;
use super::probe::Probe;
use super::remember::Remembered;
use crate::memory::{Fusion, PointerCap, PointerMemory, UpdateMode};
use crate::ops::{Linear, Places, Rotary, SpaceRotary, patches_of_map};
use crate::pace::Pace;
use crate::preprocess::RgbImage;
use crate::weights::{Parameters, WeightsError};

/// Choices that change results, all off in the reference's evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// How pointers are updated.
    pub update: UpdateMode,
    /// Round the encoder's queries and keys to half precision, as the released model's CUDA code does (spec 9.1).
    pub half_rotary: bool,
}

/// A streaming reconstruction network, weights included.
#[derive(Debug, Clone)]
pub struct Point3r {
    config: Config,
    options: Options,
    device: Device,
    embedding: ImageEmbedding,
    encoder: Encoder,
    to_image_stream: Linear,
    to_memory_stream: Linear,
    decoder: Decoder,
    pose_token: Tensor<2>,
    pose_memory: PoseMemory,
    heads: Heads,
    pointers: PointerNetwork,
    /// Rotary embeddings in space, image stream heads / memory stream heads.
    space: [SpaceRotary; 2],
}

/// Everything that is carried from frame to frame. Cloning is cheap: tensors are shared.
#[derive(Debug, Clone)]
pub struct State {
    pub(super) frames: usize,
    pub(super) memory: PointerMemory,
    cap: PointerCap,
    /// Patch positions predicted for the previous frame: the best guess for this one (spec 4.3).
    pub(super) previous_patches: Places,
    pose_slots: Tensor<2>,
    pub(super) geometry: Option<Geometry>,
}

impl State {
    /// Frames seen.
    #[must_use]
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// The same state with a limit on its pointers, from the next frame on.
    #[must_use]
    pub fn with_cap(mut self, cap: PointerCap) -> Self {
        self.cap = cap;
        self
    }

    pub(super) fn cap(&self) -> PointerCap {
        self.cap
    }

    /// The pointer memory after the last frame.
    #[must_use]
    pub fn memory(&self) -> &PointerMemory {
        &self.memory
    }
}

/// What depends on the image size alone, made once per sequence.
#[derive(Debug, Clone)]
pub(super) struct Geometry {
    /// Height and width of the images.
    size: [usize; 2],
    /// Patch rows and columns.
    grid: [usize; 2],
    /// Added to the encoder's tokens, where the network has that.
    places: Option<Tensor<2>>,
    encoder: Rotary,
    value: Rotary,
    world: Rotary,
}

impl Geometry {
    /// Patches of an image.
    pub(super) fn patches(&self) -> usize {
        let [rows, columns] = self.grid;
        rows * columns
    }
}

impl Point3r {
    /// Builds the network from its parameters.
    ///
    /// # Errors
    /// When a parameter is missing or has another shape than the config says.
    pub fn new(config: Config, mut parameters: Parameters) -> Result<Self, WeightsError> {
        config.validate()?;
        let p = &mut parameters;
        let (enc, dec) = (config.enc_embed_dim, config.dec_embed_dim);
        Ok(Self {
            embedding: ImageEmbedding::take(p, &config)?,
            encoder: Encoder::take_image(p, &config)?,
            to_image_stream: Linear::take(p, "decoder_embed", enc, dec)?,
            to_memory_stream: Linear::take(p, "decoder_embed_memory", enc, dec)?,
            decoder: Decoder::take(p, &config)?,
            pose_token: p.take("pose_token", [1, 1, dec])?.squeeze_dim(0),
            pose_memory: PoseMemory::take(p, &config)?,
            heads: Heads::take(p, &config)?,
            pointers: PointerNetwork::take(p, &config)?,
            space: [config.dec_num_heads, config.memory_dec_num_heads]
                .map(|heads| SpaceRotary::new(dec / heads, &config.rope3d_bases, p.device())),
            device: p.device().clone(),
            options: Options::default(),
            config,
        })
    }

    /// The same network with other options.
    #[must_use]
    pub fn with_options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    pub(super) fn options(&self) -> Options {
        self.options
    }

    /// The network's dimensions.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The device the network computes on.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The state before the first frame of a sequence.
    #[must_use]
    pub fn start(&self) -> State {
        State {
            frames: 0,
            memory: PointerMemory::default(),
            cap: PointerCap::OFF,
            previous_patches: Places::default(),
            pose_slots: self.pose_memory.initial(),
            geometry: None,
        }
    }

    /// A state that goes on from a pointer memory and the patch positions of the frame before.
    #[must_use]
    pub fn resume(&self, memory: PointerMemory, previous_patches: Vec<[f32; 3]>) -> State {
        State { frames: 1, memory, previous_patches: Places::Host(previous_patches), ..self.start() }
    }

    /// Reconstructs one frame and moves `state` on. `image` is at network size (`preprocess`); all images of a
    /// sequence share it.
    ///
    /// # Errors
    /// When the image does not fit or the device fails; `state` is then unchanged.
    pub async fn step(&self, state: &mut State, image: &RgbImage, pace: &Pace) -> Result<Prediction, ModelError> {
        self.step_probed(state, image, pace, &mut Probe::off()).await.map(|(prediction, _)| prediction)
    }

    /// `step` that also records intermediates and tells how the memory was fused.
    ///
    /// # Errors
    /// As `step`.
    pub async fn step_probed(
        &self,
        state: &mut State,
        image: &RgbImage,
        pace: &Pace,
        probe: &mut Probe,
    ) -> Result<(Prediction, Fusion), ModelError> {
        let geometry = self.geometry(state, image)?;
        let Geometry { grid, .. } = geometry;
        let patches = grid[0] * grid[1];

        // Encode.
        let Embedded { mut tokens, fine } = self.embedding.forward(image, grid, self.config.patch_size, &self.device);
        if let Some(places) = &geometry.places {
            tokens = tokens + places.clone();
        }
        let encoded = self.encoder.forward(tokens, &geometry.encoder, "enc", probe, pace).await;
        let mean = encoded.clone().mean_dim(0);
        probe.record("enc_feat", &encoded);
        probe.record("dec_img.0", &encoded);
        probe.record("global_feat", &mean);
        probe.record("pose_query_global_feat", &mean);

        probe.stage("encode");

        // Decode against the memory.
        let key = self.pose_memory.key(mean);
        let slots = state.pose_slots.clone();
        probe.record("pose_mem_before", &slots);
        let (pose_in, memory_tokens) = match state.memory.features() {
            None => (self.pose_token.clone(), self.to_memory_stream.forward(encoded.clone())),
            Some(features) => {
                let token = self.pose_memory.read(key.clone(), &slots, pace).await;
                probe.record("pose_retrieved", &token);
                (token, features)
            }
        };
        probe.record("pose_token_in", &pose_in);
        probe.record("mem_feat_in", &memory_tokens);
        probe.record("dec_mem.0", &memory_tokens);
        let positions = if state.memory.is_empty() { None } else { Some(self.positions(state, probe)) };
        let tokens = Tensor::cat(vec![pose_in, self.to_image_stream.forward(encoded.clone())], 0);
        let [first, second, last] = self.decoder.forward(tokens, memory_tokens, positions.as_ref(), probe, pace).await;

        probe.stage("decode");

        // Heads.
        let of_image = |t: Tensor<2>| t.narrow(0, 1, patches);
        let pose_out = last.clone().narrow(0, 0, 1);
        let last = of_image(last);
        probe.record("pose_token_out", &pose_out);
        let pose_raw = self.heads.pose(pose_out.clone());
        probe.record("pose_raw", &pose_raw);
        let hooked = [encoded.clone(), of_image(first), of_image(second)];
        let rotary = &geometry.world;
        let ((points_camera, confidence_camera), (points_world, confidence_world)) =
            self.heads.point_maps(hooked, last.clone(), fine, &pose_out, grid, rotary, probe, pace).await;

        probe.stage("heads");

        // Write both memories.
        let pose_slots = self.pose_memory.write(key, pose_out, slots, pace).await;
        probe.record("pose_mem_after", &pose_slots);
        let rotary = &geometry.value;
        let (point_patches, means) = patches_of_map(points_world.clone(), self.config.patch_size);
        let features = self.pointers.features(encoded, last, point_patches, rotary, probe, pace).await;
        let features = self.to_memory_stream.forward(features);
        probe.record("new_patch_pos", &means);

        probe.stage("write");

        // The one readback of the frame: pose and counts; elsewhere than in the kernels also the patches' places.
        let remembered = self.remember(state, pose_raw, means, features, probe).await?;
        let Remembered { pose, memory, patches, pointers, fusion } = remembered;
        probe.stage("fuse");
        *state = State {
            frames: state.frames + 1,
            memory,
            cap: state.cap,
            previous_patches: patches,
            pose_slots,
            geometry: Some(geometry),
        };
        let prediction = Prediction {
            points_camera,
            confidence_camera,
            points_world,
            confidence_world,
            pose: activate_pose(pose),
            pointers,
        };
        Ok((prediction, fusion))
    }

    /// Checks the image and returns the tables of its size.
    pub(super) fn geometry(&self, state: &State, image: &RgbImage) -> Result<Geometry, ModelError> {
        let (patch, size) = (self.config.patch_size, [image.height, image.width]);
        let RgbImage { width, height, ref rgb } = *image;
        if width == 0 || height == 0 || width % patch != 0 || height % patch != 0 {
            return Err(ModelError::Size { width, height, patch });
        }
        let expected = width.saturating_mul(height).saturating_mul(3);
        if rgb.len() != expected {
            return Err(ModelError::Pixels { expected, found: rgb.len() });
        }
        if let Some(geometry) = &state.geometry {
            if geometry.size != size {
                return Err(ModelError::SizeChanged { expected: geometry.size, found: size });
            }
            return Ok(geometry.clone());
        }
        let c = &self.config;
        let grid = [height / patch, width / patch];
        let rotary =
            |dim: usize, heads: usize, half: bool| Rotary::grid(grid, dim / heads, c.rope2d_base, half, &self.device);
        Ok(Geometry {
            size,
            grid,
            places: self.embedding.positions(grid, &self.device),
            encoder: rotary(c.enc_embed_dim, c.enc_num_heads, self.options.half_rotary),
            value: rotary(c.value_dim(), c.value_encoder.heads, false),
            world: rotary(c.dec_embed_dim, c.final_transform.heads, false),
        })
    }

    /// Tables of both streams: image tokens stand where the previous frame's patches were (spec 4.3).
    fn positions(&self, state: &State, probe: &mut Probe) -> StreamPositions {
        let (image, memory) = (&state.previous_patches, state.memory.places());
        if probe.is_on() {
            probe.record("img_pos_in", &image.tensor(&self.device));
            probe.record("mem_pos_in", &memory.tensor(&self.device));
        }
        StreamPositions {
            image: self.space.each_ref().map(|s| s.at(image, 1)),
            memory: self.space.each_ref().map(|s| s.at(&memory, 0)),
        }
    }
}
