//! Who owns what is made: under sudo, the user who called it, so that root's results are not in that
//! user's way.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt as _, fchown};
use std::path::{Path, PathBuf};

/// Gives a new file or folder to the user who called sudo, if root makes it for one.
pub fn hand_over(file: &File) {
    let id = |name| std::env::var(name).ok()?.parse::<u32>().ok();
    if let (Some(user), Some(group)) = (id("SUDO_UID"), id("SUDO_GID")) {
        // Refused to everybody but root, who alone is meant.
        let _ = fchown(file, Some(user), Some(group));
    }
}

/// What to do where something cannot be made at a path because a folder there is another's; empty
/// after any other failure. To follow the system's own words.
#[must_use]
pub fn way_out(path: &Path, error: &io::Error) -> String {
    let there = path.ancestors().find(|folder| folder.exists());
    let there = there.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match fs::metadata(there) {
        Ok(status) if error.kind() == io::ErrorKind::PermissionDenied => format!(
            "; {there} belongs to user {}: take it with `sudo chown -R \"$USER\" {there}`, or name \
             another folder",
            status.uid(),
            there = there.display()
        ),
        _ => String::new(),
    }
}

/// Folders that were made, the deepest first. Those still empty go on drop.
#[derive(Debug)]
pub struct NewFolders(Vec<PathBuf>);

impl NewFolders {
    /// Makes a folder and those above it that are missing.
    ///
    /// # Errors
    ///
    /// What the system says to making them.
    pub fn make(folder: &Path) -> io::Result<NewFolders> {
        let missing = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
        let missing = folder.ancestors().take_while(missing).map(Path::to_owned).collect();
        let made = NewFolders(missing);
        fs::create_dir_all(folder)?;
        made.0.iter().filter_map(|folder| File::open(folder).ok()).for_each(|it| hand_over(&it));
        Ok(made)
    }

    /// Leaves them there, empty or not.
    pub fn keep(mut self) {
        self.0.clear();
    }
}

impl Drop for NewFolders {
    fn drop(&mut self) {
        for folder in &self.0 {
            // What holds something, or was removed meanwhile, is left as it is.
            let _ = fs::remove_dir(folder);
        }
    }
}
