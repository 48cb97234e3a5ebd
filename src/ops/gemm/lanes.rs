//! Four f32 side by side: a 128-bit register in wasm, an array that compilers vectorise elsewhere.

#[cfg(target_arch = "wasm32")]
mod form {
    use core::arch::wasm32::{f32x4_add, f32x4_extract_lane, f32x4_mul, f32x4_splat, v128, v128_load};

    /// Four lanes.
    #[derive(Clone, Copy)]
    pub(crate) struct F4(v128);

    impl F4 {
        #[inline(always)]
        pub(crate) fn splat(x: f32) -> Self {
            Self(f32x4_splat(x))
        }

        #[inline(always)]
        pub(crate) fn load(values: &[f32; 4]) -> Self {
            // SAFETY: the reference covers the 16 bytes that are read, and a load needs no alignment. (The safe form,
            // lane by lane, is torn into scalar loads where windows overlap: a third slower.)
            Self(unsafe { v128_load(core::ptr::from_ref(values).cast()) })
        }

        #[inline(always)]
        pub(crate) fn add_product(self, a: Self, b: Self) -> Self {
            Self(f32x4_add(self.0, f32x4_mul(a.0, b.0)))
        }

        #[inline(always)]
        pub(crate) fn array(self) -> [f32; 4] {
            let v = self.0;
            [
                f32x4_extract_lane::<0>(v),
                f32x4_extract_lane::<1>(v),
                f32x4_extract_lane::<2>(v),
                f32x4_extract_lane::<3>(v),
            ]
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod form {
    /// Four lanes.
    #[derive(Clone, Copy)]
    pub(crate) struct F4([f32; 4]);

    impl F4 {
        #[inline(always)]
        pub(crate) fn splat(x: f32) -> Self {
            Self([x; 4])
        }

        #[inline(always)]
        pub(crate) fn load(values: &[f32; 4]) -> Self {
            Self(*values)
        }

        #[inline(always)]
        pub(crate) fn add_product(self, a: Self, b: Self) -> Self {
            let (x, Self(a), Self(b)) = (self.0, a, b);
            Self(std::array::from_fn(|i| x[i] + a[i] * b[i]))
        }

        #[inline(always)]
        pub(crate) fn array(self) -> [f32; 4] {
            self.0
        }
    }
}

pub(crate) use form::F4;
