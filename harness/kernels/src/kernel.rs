//! The kernels of a comparison, opened or built, with all that a boot of one needs.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use iowq_contract::{Disk, Kernel};

use crate::from_source;
use crate::image::{self, Image, Module, Needs};
use crate::label::{self, Named};
use crate::note::note;
use crate::options::Options;
use crate::sha256;
use crate::stop::Stop;

/// One kernel that is compared.
#[derive(Clone, Debug)]
pub struct ComparedKernel {
    /// Its description in the results.
    pub described: Kernel,
    /// Its image.
    pub image: Image,
    /// Modules to load first, in order.
    pub modules: Vec<Module>,
}

impl ComparedKernel {
    /// Files of the modules that only criu would use, or of all others.
    #[must_use]
    pub fn files(&self, for_criu: bool) -> Vec<String> {
        let modules = self.modules.iter().filter(|module| module.for_criu == for_criu);
        modules.map(Module::file).collect()
    }
}

/// Opens the kernels that were named, or builds them. The first is the base. What is unpacked goes
/// to `scratch`, and must stay as long as the kernels are used.
///
/// # Errors
///
/// An image that is invalid, a kernel that by its configuration misses something, or a build that
/// fails.
pub fn kernels(
    options: &Options,
    cache: &Path,
    scratch: &Path,
    stop: &Stop,
) -> anyhow::Result<Vec<ComparedKernel>> {
    let disk = options.disk();
    if let Some(source) = &options.build {
        return built(options, cache, source, &disk, scratch, stop);
    }
    let Some(base) = &options.base else {
        bail!("name a kernel with --base, or a source with --build");
    };
    let labels = label::labels(base, &options.test)?;
    let named = std::iter::once(base).chain(&options.test);
    let of = |(label, named): (String, &Named)| {
        let image = named.image.display().to_string();
        open(&label, &named.image, image, &[], options, &disk, &unpacked(scratch, &label))
    };
    labels.into_iter().zip(named).map(of).collect()
}

/// Where the package of a kernel is unpacked.
fn unpacked(scratch: &Path, label: &str) -> PathBuf {
    scratch.join(format!("kernel-{label}"))
}

fn built(
    options: &Options,
    cache: &Path,
    source: &Path,
    disk: &Disk,
    scratch: &Path,
    stop: &Stop,
) -> anyhow::Result<Vec<ComparedKernel>> {
    let request = from_source::Request {
        source: source.to_owned(),
        patches: options.patch.clone(),
        aids: options.aid.clone(),
        cache: cache.to_owned(),
        jobs: std::thread::available_parallelism().map_or(1, usize::from),
        config: options.config.clone(),
    };
    let built = from_source::build(&request, stop, &mut |line| note(line))?;
    let of = |built: from_source::Built| {
        let image = format!("{} {}", source.display(), built.release);
        let folder = unpacked(scratch, &built.label);
        open(&built.label, &built.bzimage, image, &built.patches, options, disk, &folder)
    };
    built.into_iter().map(of).collect()
}

fn open(
    label: &str,
    path: &Path,
    shown: String,
    patches: &[String],
    options: &Options,
    disk: &Disk,
    scratch: &Path,
) -> anyhow::Result<ComparedKernel> {
    let image = image::open(path, scratch)
        .and_then(|image| kept(image, scratch))
        .with_context(|| format!("kernel {label}"))?;
    let needs = Needs { criu: options.criu.is_some(), ..Needs::from(disk) };
    let modules = image.needed(&needs).with_context(|| format!("kernel {label}"))?;
    let kernel = Kernel {
        label: label.to_owned(),
        image: shown,
        sha256: image.sha256.clone(),
        release: image.release.clone(),
        command_line: options.append.trim().to_owned(),
        config: image.config.clone(),
        modules: modules.iter().map(Module::file).collect(),
        patches: patches.to_vec(),
    };
    Ok(ComparedKernel { described: kernel, image, modules })
}

/// The image as it is now: a build may replace its file while boots go on.
fn kept(image: Image, scratch: &Path) -> anyhow::Result<Image> {
    let cannot = || format!("cannot copy {}", image.boot.display());
    fs::create_dir_all(scratch).with_context(cannot)?;
    let boot = scratch.join("image");
    fs::copy(&image.boot, &boot).with_context(cannot)?;
    if sha256::of_file(&boot).with_context(cannot)? != image.sha256 {
        bail!("{} was changed while it was read: wait until it is built", image.boot.display());
    }
    Ok(Image { boot, ..image })
}
