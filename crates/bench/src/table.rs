//! Figures as people read them.

use std::{fmt::Display, fs, thread, time::Duration};

/// The middle one.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A table of what was measured, what it may be at most, and whether it is.
#[derive(Debug, Default)]
pub struct Table {
    rows: Vec<[String; 4]>,
    missed: bool,
}

impl Table {
    /// A figure that others are compared with.
    pub fn note(&mut self, what: impl Display, measured: impl Display) {
        self.rows.push([what.to_string(), measured.to_string(), String::new(), String::new()]);
    }

    /// A figure that has a bound.
    pub fn judge(&mut self, what: impl Display, measured: Figure, most: Figure) {
        let met = measured.0 <= most.0;
        self.missed |= !met;
        let verdict = if met { "met" } else { "**missed**" };
        self.rows.push([what.to_string(), measured.to_string(), most.to_string(), verdict.to_owned()]);
    }

    /// Whether any bound is missed.
    pub fn is_missed(&self) -> bool {
        self.missed
    }

    /// Prints it in Markdown.
    pub fn print(&self) {
        println!("\n| what | measured | at most | |\n|---|---|---|---|");
        for [what, measured, most, verdict] in &self.rows {
            println!("| {what} | {measured} | {most} | {verdict} |");
        }
    }
}

/// A number with its unit and with so many digits behind the point.
#[derive(Clone, Copy, Debug)]
pub struct Figure(f64, &'static str, usize);

impl Display for Figure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.*} {}", self.2, self.0, self.1)
    }
}

/// Microseconds.
pub fn micros(seconds: f64) -> Figure {
    Figure(seconds * 1e6, "µs", 0)
}

/// Milliseconds.
pub fn millis(seconds: f64) -> Figure {
    Figure(seconds * 1e3, "ms", 1)
}

/// Times something else.
pub fn times(ratio: f64) -> Figure {
    Figure(ratio, "×", 2)
}

/// How often in a second.
pub fn per_second(seconds: f64) -> Figure {
    Figure(seconds.recip(), "/s", 0)
}

/// Megabytes.
pub fn megabytes(bytes: f64) -> Figure {
    Figure(bytes / 1e6, "MB", 1)
}

/// Kilobytes.
pub fn kilobytes(bytes: f64) -> Figure {
    Figure(bytes / 1e3, "KB", 2)
}

/// A number of bytes, to calculate with.
#[expect(clippy::cast_precision_loss, reason = "no computer has so much memory")]
pub fn bytes(count: u64) -> f64 {
    count as f64
}

/// One of many.
pub fn each(all: Duration, count: u32) -> f64 {
    all.as_secs_f64() / f64::from(count)
}

/// What kind of machine this is.
pub fn machine() -> String {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let line = |file: &str, name: &str| {
        let text = fs::read_to_string(file).unwrap_or_default();
        let value = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().to_owned();
        value.trim_matches(|char: char| char.is_whitespace() || char == ':' || char == '"').to_owned()
    };
    let (cpu, system) = (line("/proc/cpuinfo", "model name"), line("/etc/os-release", "PRETTY_NAME="));
    format!("{cores} × {cpu}, {system}, Linux {}", line("/proc/sys/kernel/osrelease", ""))
}
