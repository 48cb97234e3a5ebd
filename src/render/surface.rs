//! The canvas: choosing its format, following its size, presenting.

use super::Renderer;
use crate::device::{DeviceError, Gpu};

/// A surface bound to a device.
pub struct Canvas {
    surface: wgpu::Surface<'static>,
    config: wgpu::SurfaceConfiguration,
    configured: bool,
}

impl Canvas {
    /// Binds `surface`. Points carry sRGB bytes, so a format that stores bytes as they are is preferred.
    ///
    /// # Errors
    /// [`DeviceError::Refused`] if the adapter cannot present to it.
    pub fn new(gpu: &Gpu, surface: wgpu::Surface<'static>) -> Result<Self, DeviceError> {
        let capabilities = surface.get_capabilities(&gpu.adapter);
        let bytes =
            |f: &&wgpu::TextureFormat| matches!(f, wgpu::TextureFormat::Bgra8Unorm | wgpu::TextureFormat::Rgba8Unorm);
        let formats = &capabilities.formats;
        let format = *formats
            .iter()
            .find(bytes)
            .or_else(|| formats.first())
            .ok_or_else(|| DeviceError::Refused("the adapter cannot draw on this canvas".to_owned()))?;
        let mut config = surface
            .get_default_config(&gpu.adapter, 1, 1)
            .ok_or_else(|| DeviceError::Refused("the adapter cannot draw on this canvas".to_owned()))?;
        config.format = format;
        config.present_mode = wgpu::PresentMode::AutoVsync;
        config.alpha_mode = wgpu::CompositeAlphaMode::Opaque;
        if !capabilities.alpha_modes.contains(&config.alpha_mode) {
            config.alpha_mode = wgpu::CompositeAlphaMode::Auto;
        }
        Ok(Self { surface, config, configured: false })
    }

    /// What a [`Renderer`] for this canvas must be made for.
    #[must_use]
    pub fn format(&self) -> wgpu::TextureFormat {
        self.config.format
    }

    /// Draws and presents. False if the canvas had no texture to give this time: try again at the next frame.
    pub fn draw(&mut self, gpu: &Gpu, renderer: &mut Renderer) -> bool {
        let [width, height] = renderer.size();
        if !self.configured || [self.config.width, self.config.height] != [width, height] {
            (self.config.width, self.config.height) = (width, height);
            self.surface.configure(&gpu.device, &self.config);
            self.configured = true;
        }
        match self.surface.get_current_texture() {
            wgpu::CurrentSurfaceTexture::Success(texture) | wgpu::CurrentSurfaceTexture::Suboptimal(texture) => {
                let view = texture.texture.create_view(&wgpu::TextureViewDescriptor::default());
                renderer.draw(&view);
                gpu.queue.present(texture);
                true
            }
            wgpu::CurrentSurfaceTexture::Timeout | wgpu::CurrentSurfaceTexture::Occluded => false,
            _ => {
                self.configured = false;
                false
            }
        }
    }
}
