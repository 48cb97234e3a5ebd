//! Videos through the `ffmpeg` executable: decoded frames come through a pipe, one at a time, without
//! temporary files. ffmpeg turns them upright and makes pixels square; each frame states its own size.

use std::{
    ffi::OsString,
    io::{BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    thread::JoinHandle,
};

use serde::Deserialize;

use super::{Frame, FrameError, Pick};
use crate::preprocess::{MAX_SIDE, RgbImage};

/// A video being decoded.
#[derive(Debug)]
pub(super) struct Video {
    path: PathBuf,
    child: Child,
    pixels: BufReader<ChildStdout>,
    complaints: Option<JoinHandle<String>>,
    /// Frames given out.
    given: usize,
    /// Frames that the header promises after picking, and whether a limit cuts them short.
    expected: Option<usize>,
    limited: bool,
    /// Source frames and seconds per frame given out.
    step: f64,
    seconds: f64,
    ended: bool,
}

#[derive(Debug, Deserialize)]
struct Probe {
    #[serde(default)]
    streams: Vec<Stream>,
    format: Option<Format>,
}

#[derive(Debug, Deserialize)]
struct Stream {
    avg_frame_rate: Option<String>,
    nb_frames: Option<String>,
    duration: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Format {
    format_name: Option<String>,
    duration: Option<String>,
}

/// `file:PATH`, so that no name is taken for an option or a network address.
fn input(path: &Path) -> OsString {
    let mut name = OsString::from("file:");
    name.push(path);
    name
}

fn launch(program: &'static str, path: &Path, result: std::io::Error) -> FrameError {
    if result.kind() == ErrorKind::NotFound {
        return FrameError::NoFfmpeg(program);
    }
    FrameError::Unreadable { path: path.to_owned(), reason: result.to_string() }
}

/// The last line that ffmpeg printed, without the file's name.
fn reason(complaints: &str, path: &Path) -> String {
    let name = format!("file:{}: ", path.display());
    let line = complaints.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("no reason given");
    let line = line.replace(&name, "");
    // "[mov,mp4 @ 0x55e0] text": the part in brackets is for ffmpeg's authors.
    let line = line.strip_prefix('[').and_then(|l| l.split_once("] ")).map_or(line.as_str(), |(_, text)| text);
    line.trim().to_owned()
}

/// Whether a file begins like a video container, so that failing to open it means damage.
fn looks_like_video(path: &Path) -> bool {
    let mut head = [0; 12];
    let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut head));
    read.is_ok() && (head.get(4..8) == Some(b"ftyp") || head.starts_with(&[0x1A, 0x45, 0xDF, 0xA3]))
}

/// Whether an mp4 file ends inside one of its boxes (each states its length).
fn is_cut_off(path: &Path) -> bool {
    let walk = || -> std::io::Result<bool> {
        let mut file = std::fs::File::open(path)?;
        let end = file.metadata()?.len();
        let mut at = 0_u64;
        while looks_like_video(path) && at + 8 <= end {
            let mut head = [0; 8];
            file.seek(SeekFrom::Start(at))?;
            file.read_exact(&mut head)?;
            let [a, b, c, d, ..] = head;
            match u64::from(u32::from_be_bytes([a, b, c, d])) {
                // To the end of the file, or a 64-bit length: large files are ffmpeg's to judge.
                0..8 => return Ok(false),
                length => at += length,
            }
        }
        Ok(at > end)
    };
    walk().unwrap_or(false)
}

fn ratio(text: &str) -> Option<f64> {
    let (a, b) = text.split_once('/')?;
    let ratio = a.parse::<f64>().ok()? / b.parse::<f64>().ok()?;
    (ratio.is_finite() && ratio > 0.0).then_some(ratio)
}

/// Frames per second and number of frames, as far as the file tells.
fn probe(path: &Path) -> Result<(f64, Option<f64>), FrameError> {
    let entries = "stream=avg_frame_rate,nb_frames,duration:format=format_name,duration";
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-select_streams", "v:0", "-show_entries", entries, "-of", "json", "-i"])
        .arg(input(path))
        .stdin(Stdio::null())
        .output()
        .map_err(|e| launch("ffprobe", path, e))?;
    let complaints = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        let reason = reason(&complaints, path);
        if looks_like_video(path) {
            return Err(FrameError::DamagedVideo { path: path.to_owned(), frames: 0, reason });
        }
        return Err(FrameError::Unsupported { path: path.to_owned(), reason });
    }
    let none = |reason: &str| FrameError::Unsupported { path: path.to_owned(), reason: reason.to_owned() };
    let probe: Probe = serde_json::from_slice(&output.stdout).map_err(|e| none(&e.to_string()))?;
    let format = probe.format.as_ref();
    // ffmpeg "plays" text files as terminals.
    if format.and_then(|f| f.format_name.as_deref()) == Some("tty") {
        return Err(none("it is a text file"));
    }
    let Some(stream) = probe.streams.first() else {
        if is_cut_off(path) {
            let reason = "its table of contents is cut off".to_owned();
            return Err(FrameError::DamagedVideo { path: path.to_owned(), frames: 0, reason });
        }
        return Err(none("it has no picture track"));
    };
    let rate = stream.avg_frame_rate.as_deref().and_then(ratio).unwrap_or(30.0);
    let number = |text: &Option<String>| text.as_ref().and_then(|t| t.parse::<f64>().ok()).filter(|v| v.is_finite());
    let duration = || number(&stream.duration).or_else(|| format.and_then(|f| number(&f.duration)));
    let frames = number(&stream.nb_frames).or_else(|| duration().map(|d| d * rate));
    Ok((rate, frames.filter(|&f| f > 0.0)))
}

impl Video {
    /// Starts decoding.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "frame counts; float casts saturate"
    )]
    pub(super) fn open(path: &Path, pick: Pick, max_frames: Option<usize>) -> Result<Self, FrameError> {
        let (rate, frames) = probe(path)?;
        let (filter, step) = match pick {
            Pick::Every(k) => (format!("select=not(mod(n\\,{}))", k.max(1)), k.max(1) as f64),
            Pick::Rate(fps) => (format!("fps={fps}"), rate / fps),
        };
        let promised = frames.map(|f| (f / step).ceil() as usize);
        let expected = promised.map(|p| p.min(max_frames.unwrap_or(usize::MAX)));
        let filter = format!("{filter},scale=trunc(iw*sar):ih,setsar=1,format=rgb24");
        let mut command = Command::new("ffmpeg");
        command.args(["-v", "error", "-nostdin", "-i"]).arg(input(path));
        command.args(["-map", "0:v:0", "-vf", &filter, "-fps_mode", "passthrough"]);
        if let Some(max) = max_frames {
            command.args(["-frames:v", &max.to_string()]);
        }
        command.args(["-f", "image2pipe", "-c:v", "ppm", "pipe:1"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|e| launch("ffmpeg", path, e))?;
        let (Some(stdout), Some(mut stderr)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(FrameError::NoFfmpeg("ffmpeg"));
        };
        let complaints = std::thread::spawn(move || {
            let mut text = Vec::new();
            // Enough for a reason; the rest is read so that ffmpeg does not wait for us.
            let _ = stderr.by_ref().take(1 << 16).read_to_end(&mut text);
            let _ = std::io::copy(&mut stderr, &mut std::io::sink());
            String::from_utf8_lossy(&text).into_owned()
        });
        Ok(Self {
            path: path.to_owned(),
            child,
            pixels: BufReader::with_capacity(1 << 20, stdout),
            complaints: Some(complaints),
            given: 0,
            expected,
            limited: max_frames.is_some_and(|max| promised.is_none_or(|p| max < p)),
            step,
            seconds: step / rate,
            ended: false,
        })
    }

    /// Frames to come in all, where the file tells.
    pub(super) fn expected(&self) -> Option<usize> {
        self.expected
    }

    /// The next frame, or none at the end.
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts")]
    pub(super) fn next(&mut self) -> Option<Result<Frame, FrameError>> {
        if self.ended {
            return None;
        }
        match read_ppm(&mut self.pixels) {
            Ok(Some(image)) => {
                let n = self.given as f64;
                self.given += 1;
                Some(Ok(Frame { index: (n * self.step).round() as usize, time: n * self.seconds, image }))
            }
            Ok(None) => self.finish(None).map(Err),
            Err(error) => self.finish(Some(error.to_string())).map(Err),
        }
    }

    /// What the end of the pipe means.
    #[expect(clippy::cast_precision_loss, reason = "counts")]
    fn finish(&mut self, broken: Option<String>) -> Option<FrameError> {
        self.ended = true;
        let ok = broken.is_none() && self.child.wait().is_ok_and(|status| status.success());
        if broken.is_some() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        let complaints = self.complaints.take().and_then(|thread| thread.join().ok()).unwrap_or_default();
        let path = self.path.clone();
        if self.given == 0 {
            let reason = broken.unwrap_or_else(|| reason(&complaints, &path));
            return Some(FrameError::Undecodable { path, reason });
        }
        // Decoders complain about harmless things too: it counts when frames are missing.
        let missing = |expected: usize| ((self.given + 1) as f64) < 0.98 * expected as f64;
        let short = !self.limited && self.expected.is_some_and(missing) && !complaints.is_empty();
        if ok && !short {
            return None;
        }
        let reason = broken.unwrap_or_else(|| reason(&complaints, &path));
        Some(FrameError::DamagedVideo { path, frames: self.given, reason })
    }
}

impl Drop for Video {
    fn drop(&mut self) {
        if !self.ended {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// One binary PPM picture, or none at the end of the stream.
fn read_ppm(stream: &mut impl BufRead) -> std::io::Result<Option<RgbImage>> {
    let bad = |text: &str| std::io::Error::new(ErrorKind::InvalidData, text.to_owned());
    if stream.fill_buf()?.is_empty() {
        return Ok(None);
    }
    let mut header = [String::new(), String::new(), String::new(), String::new()];
    for word in &mut header {
        loop {
            let mut byte = [0];
            stream.read_exact(&mut byte)?;
            match byte[0] {
                b if b.is_ascii_whitespace() && !word.is_empty() => break,
                b if b.is_ascii_graphic() && word.len() < 8 => word.push(char::from(b)),
                _ => return Err(bad("unexpected bytes between frames")),
            }
        }
    }
    let [magic, width, height, levels] = header;
    let side = |text: &str| text.parse::<usize>().ok().filter(|s| (1..=MAX_SIDE).contains(s));
    let (Some(width), Some(height)) = (side(&width), side(&height)) else {
        return Err(bad("frames of unusable size"));
    };
    if magic != "P6" || levels != "255" {
        return Err(bad("frames in an unexpected form"));
    }
    let mut rgb = vec![0; width * height * 3];
    stream.read_exact(&mut rgb)?;
    Ok(Some(RgbImage { width, height, rgb }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn pictures_are_read_one_after_another() {
        let mut bytes = b"P6\n2 1\n255\nabcdef".to_vec();
        bytes.extend(b"P6\n1 1\n255\n\n\n\n");
        let mut stream = bytes.as_slice();
        let first = read_ppm(&mut stream).unwrap().unwrap();
        assert_eq!((first.width, first.height, first.rgb.as_slice()), (2, 1, b"abcdef".as_slice()));
        assert_eq!(read_ppm(&mut stream).unwrap().unwrap().rgb, b"\n\n\n");
        assert!(read_ppm(&mut stream).unwrap().is_none());
    }

    #[test]
    fn hostile_pictures_are_errors() {
        for bytes in
            ["P6\n2 2\n255\nabc", "P6\n0 2\n255\n", "P6\n99999 99999\n255\n", "P5\n1 1\n255\nabc", "P6\n1", "\0"]
        {
            assert!(read_ppm(&mut bytes.as_bytes()).is_err(), "{bytes}");
        }
    }
}
