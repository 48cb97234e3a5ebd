//! The part of a glTF document that is read, with lengths capped while parsing: a document cannot make us allocate
//! more than its own size times a small constant.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::geometry::Intrinsics;

/// A list of at most `MAX` items.
#[derive(Debug)]
pub(super) struct Capped<T, const MAX: usize>(pub(super) Vec<T>);

impl<T, const MAX: usize> Default for Capped<T, MAX> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for Capped<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items<T, const MAX: usize>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for Items<T, MAX> {
            type Value = Vec<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a list of at most {MAX} items")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = sequence.next_element()? {
                    if items.len() == MAX {
                        return Err(serde::de::Error::custom(format!("a list is longer than {MAX} items")));
                    }
                    items.push(item);
                }
                Ok(items)
            }
        }
        deserializer.deserialize_seq(Items::<T, MAX>(PhantomData)).map(Self)
    }
}

/// Nodes, and children in all, that a document may have.
pub(super) const MAX_NODES: usize = 20_000;

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Gltf {
    pub(super) extensions_required: Capped<String, 64>,
    pub(super) scene: usize,
    pub(super) scenes: Capped<SceneNodes, 1000>,
    pub(super) nodes: Capped<Node, MAX_NODES>,
    pub(super) meshes: Capped<Mesh, MAX_NODES>,
    pub(super) accessors: Capped<Accessor, MAX_NODES>,
    pub(super) buffer_views: Capped<View, MAX_NODES>,
    pub(super) buffers: Capped<Buffer, 16>,
    pub(super) cameras: Capped<Camera, MAX_NODES>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SceneNodes {
    pub(super) nodes: Capped<usize, MAX_NODES>,
    pub(super) extras: Extras<SceneExtras>,
}

/// `extras` may be anything; only ours is looked at, and only if it has our form.
#[derive(Debug)]
pub(super) struct Extras<T>(pub(super) Option<T>);

impl<T> Default for Extras<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Extras<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Anything(PhantomData)).map(Self)
    }
}

/// Finds the member `point3r` of an object and passes over everything else without keeping it.
struct Anything<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Anything<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut ours = None;
        while let Some(name) = map.next_key::<String>()? {
            if name == "point3r" {
                ours = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(ours)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
        while sequence.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }
    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }
    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }
    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }
    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }
    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(None)
    }
    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SceneExtras {
    pub(super) title: String,
    pub(super) eye: Option<[f32; 3]>,
    pub(super) target: Option<[f32; 3]>,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
pub(super) struct NodeExtras {
    pub(super) frame: u32,
    pub(super) time: f64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Node {
    pub(super) children: Capped<usize, MAX_NODES>,
    pub(super) mesh: Option<usize>,
    pub(super) camera: Option<usize>,
    pub(super) matrix: Option<[f64; 16]>,
    pub(super) translation: Option<[f64; 3]>,
    pub(super) rotation: Option<[f64; 4]>,
    pub(super) scale: Option<[f64; 3]>,
    pub(super) extras: Extras<NodeExtras>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Mesh {
    pub(super) primitives: Capped<Primitive, MAX_NODES>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Primitive {
    pub(super) attributes: Attributes,
    #[serde(default = "triangles")]
    pub(super) mode: u32,
}

fn triangles() -> u32 {
    4
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Attributes {
    #[serde(rename = "POSITION")]
    pub(super) position: Option<usize>,
    #[serde(rename = "COLOR_0")]
    pub(super) color: Option<usize>,
    #[serde(rename = "_CONFIDENCE")]
    pub(super) confidence: Option<usize>,
    #[serde(rename = "_FRAME")]
    pub(super) frame: Option<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Accessor {
    pub(super) buffer_view: Option<usize>,
    #[serde(default)]
    pub(super) byte_offset: usize,
    pub(super) component_type: u32,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) count: usize,
    #[serde(default)]
    pub(super) normalized: bool,
    #[serde(default)]
    pub(super) sparse: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct View {
    pub(super) buffer: usize,
    #[serde(default)]
    pub(super) byte_offset: usize,
    pub(super) byte_length: usize,
    pub(super) byte_stride: Option<usize>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Buffer {
    pub(super) uri: Option<IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Camera {
    pub(super) perspective: Option<Perspective>,
    pub(super) extras: Extras<Intrinsics>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Perspective {
    pub(super) yfov: f64,
    pub(super) aspect_ratio: Option<f64>,
}
