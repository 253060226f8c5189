//! A folder of weather files, two of which cannot be read: the rest is reported all the same.
//!
//! [`collect_results`](fanfold::DynamicOut::collect_results) runs when every copy has ended,
//! well or not, and gives each key its `Result`. Failures that it takes count as handled.

use std::fs;
use std::path::{Path, PathBuf};

use fanfold::prelude::*;
use serde::{Deserialize, Serialize};

use crate::data;
use crate::read_error::ReadError;

/// A line of a weather file.
#[derive(Debug, Deserialize)]
struct Day {
    date: String,
    precipitation: f64,
    temp_max: f64,
}

/// What a file says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Month {
    days: usize,
    rain: f64,
    hottest: Hot,
}

/// A day and its highest temperature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Hot {
    date: String,
    degrees: f64,
}

/// What all files say, and which could not be read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Report {
    months: usize,
    days: usize,
    wettest: Option<String>,
    hottest: Option<Hot>,
    unread: Vec<String>,
}

/// Gives each file in the folders of a folder, in the order of the names.
#[op(dynamic_out)]
fn weather_files(folder: &Path) -> Result<Vec<DynamicOutput<PathBuf>>, ReadError> {
    let mut items = Vec::new();
    for city in entries(folder)? {
        for file in entries(&city)? {
            let name = file.strip_prefix(folder).unwrap_or(&file).with_extension("");
            items.push(DynamicOutput::new(name.display(), file));
        }
    }
    Ok(items)
}

/// Reads a month.
#[op]
fn read_month(file: &Path) -> Result<Month, ReadError> {
    let wrong = |error| ReadError::csv(file, error);
    let mut reader = csv::Reader::from_path(file).map_err(wrong)?;
    let days: Vec<Day> = reader.deserialize().collect::<Result<_, _>>().map_err(wrong)?;
    let hottest = days.iter().max_by(|a, b| a.temp_max.total_cmp(&b.temp_max));
    let hottest = hottest.ok_or_else(|| ReadError::line(file, 1, "no days"))?;
    Ok(Month {
        days: days.len(),
        rain: days.iter().map(|day| day.precipitation).sum(),
        hottest: Hot { date: hottest.date.clone(), degrees: hottest.temp_max },
    })
}

/// Sums up the months that could be read, and names the files that could not.
#[op]
fn report(months: &Keyed<Result<Month, StepFailure>>) -> Report {
    let read = || months.iter().filter_map(|(key, month)| Some((key, month.as_ref().ok()?)));
    let wettest = read().max_by(|(_, a), (_, b)| a.rain.total_cmp(&b.rain));
    let hottest = read().map(|(_, month)| &month.hottest);
    let unread = months.iter().filter_map(|(_, month)| Some(month.as_ref().err()?.to_string()));
    Report {
        months: read().count(),
        days: read().map(|(_, month)| month.days).sum(),
        wettest: wettest.map(|(key, _)| key.to_string()),
        hottest: hottest.max_by(|a, b| a.degrees.total_cmp(&b.degrees)).cloned(),
        unread: unread.collect(),
    }
}

/// Reports on a folder of weather files, whichever of them can be read.
#[job]
fn folder(
    /// A folder of folders of CSV files.
    #[arg(default = data::path("weather"))]
    folder: Out<PathBuf>,
) -> Out<Report> {
    let months = weather_files(folder).map(read_month);
    report(months.collect_results())
}

/// What lies in a folder, in the order of the names.
pub(crate) fn entries(folder: &Path) -> Result<Vec<PathBuf>, ReadError> {
    let entries = fs::read_dir(folder).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    let mut paths: Vec<PathBuf> = entries.map_err(ReadError::file(folder))?;
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_malformed_file_is_named_with_its_line() {
        let file = data::path("weather/new-york/2016-01-malformed.csv");
        let error = read_month::call(&file).unwrap_err();
        let expected = format!("{}:3: field 3: invalid float literal", file.display());
        assert_eq!(error.to_string(), expected);
    }

    #[tokio::test]
    async fn two_files_of_98_cannot_be_read() -> Result<(), fanfold::RunError> {
        let run = folder::job().args((data::path("weather"),)).run_in_memory().await?;
        let report = run.output();
        assert_eq!((report.months, report.days, report.unread.len()), (96, 2922, 2));
        Ok(())
    }
}
