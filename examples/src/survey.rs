//! Four years of weather, a fortnight a step: a job to kill and resume.
//!
//! Each step logs, tells how far it is and what people may want to know of it. `--die-once FILE` ends
//! the whole process in the middle of the run, as a power cut would, unless the file is there already:
//! the second time the run goes through.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::abort;
use std::thread;
use std::time::Duration;

use fanfold::prelude::*;
use fanfold::{Key, Metadata};
use serde::{Deserialize, Serialize};

use crate::data;
use crate::folder::entries;
use crate::read_error::ReadError;

/// How many days are surveyed at once.
const FORTNIGHT: usize = 14;

/// A day's weather.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Day {
    date: String,
    precipitation: f64,
    temp_max: f64,
    temp_min: f64,
}

/// What a fortnight was like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Survey {
    days: usize,
    wet_days: usize,
    rain: f64,
    warmest: f64,
    coldest: f64,
}

/// What all of them were like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Climate {
    fortnights: usize,
    days: usize,
    wet_days: usize,
    rain: f64,
    wettest: Option<String>,
    warmest: f64,
    coldest: f64,
}

/// Cuts each city's days into fortnights: `seattle/2012-01-01`.
#[op(dynamic_out)]
fn fortnights(folder: &Path) -> Result<impl Iterator<Item = DynamicOutput<Vec<Day>>>, ReadError> {
    let cities = entries(folder)?.into_iter().map(|city| Ok((days_of(&city)?, city)));
    let cities = cities.collect::<Result<Vec<_>, ReadError>>()?;
    Ok(cities.into_iter().flat_map(|(days, city)| {
        let name = city.file_name().unwrap_or_default().display().to_string();
        let fortnights: Vec<_> = days.chunks(FORTNIGHT).map(<[Day]>::to_vec).collect();
        fortnights.into_iter().map(move |days| DynamicOutput::new(format!("{name}/{}", days[0].date), days))
    }))
}

/// All days of a city, but for files that cannot be read.
fn days_of(city: &Path) -> Result<Vec<Day>, ReadError> {
    let mut all = Vec::new();
    for file in entries(city)? {
        match days_in(&file) {
            Ok(days) => all.extend(days),
            Err(error) => tracing::warn!("left out: {error}"),
        }
    }
    Ok(all)
}

fn days_in(file: &Path) -> Result<Vec<Day>, ReadError> {
    let wrong = |error| ReadError::csv(file, error);
    let mut reader = csv::Reader::from_path(file).map_err(wrong)?;
    reader.deserialize().collect::<Result<_, _>>().map_err(wrong)
}

/// Surveys a fortnight, day by day.
#[op]
fn survey_fortnight(
    ctx: &OpContext,
    days: &[Day],
    delay: Duration,
    die_at: &str,
    die_once: &Option<PathBuf>,
) -> Result<Survey, ReadError> {
    let mut survey =
        Survey { days: days.len(), wet_days: 0, rain: 0.0, warmest: f64::MIN, coldest: f64::MAX };
    for (done, day) in days.iter().enumerate() {
        ctx.progress(done, days.len());
        survey.wet_days += usize::from(day.precipitation > 0.0);
        survey.rain += day.precipitation;
        survey.warmest = survey.warmest.max(day.temp_max);
        survey.coldest = survey.coldest.min(day.temp_min);
        thread::sleep(delay / FORTNIGHT as u32);
    }
    if let Some(marker) = die_once
        && ctx.mapping_key() == Some(&Key::new(die_at))
    {
        die(marker)?;
    }
    survey.rain = (survey.rain * 10.0).round() / 10.0;
    tracing::info!(wet_days = survey.wet_days, rain = survey.rain, "surveyed");
    ctx.metadata("rain", survey.rain);
    ctx.metadata("days", table(days));
    Ok(survey)
}

fn table(days: &[Day]) -> Metadata {
    let row = |day: &Day| [day.date.clone(), day.precipitation.to_string(), day.temp_max.to_string()];
    Metadata::table(["date", "rain", "warmest"], days.iter().map(row))
}

/// Ends the process, unless it has done so before.
fn die(marker: &Path) -> Result<(), ReadError> {
    match File::create_new(marker) {
        Ok(_) => abort(),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(ReadError::file(marker)(error)),
    }
}

/// Sums up the fortnights.
#[op]
fn climate(ctx: &OpContext, surveys: &Keyed<Survey>) -> Climate {
    let all = || surveys.iter().map(|(_, survey)| survey);
    let wettest = surveys.iter().max_by(|(_, a), (_, b)| a.rain.total_cmp(&b.rain));
    let climate = Climate {
        fortnights: all().count(),
        days: all().map(|survey| survey.days).sum(),
        wet_days: all().map(|survey| survey.wet_days).sum(),
        rain: all().map(|survey| survey.rain).sum::<f64>().round(),
        wettest: wettest.map(|(key, _)| key.to_string()),
        warmest: all().map(|survey| survey.warmest).fold(f64::MIN, f64::max),
        coldest: all().map(|survey| survey.coldest).fold(f64::MAX, f64::min),
    };
    let share = 100 * climate.wet_days / climate.days.max(1);
    ctx.metadata("in short", Metadata::markdown(format!("**{share} %** of the days were wet")));
    climate
}

/// Surveys the weather of two cities, a fortnight a step.
#[job]
fn survey(
    /// A folder of cities, each a folder of CSV files.
    #[arg(default = data::path("weather"))]
    folder: Out<PathBuf>,
    /// How long a fortnight takes.
    #[arg(default = Duration::from_millis(5))]
    delay: Out<Duration>,
    /// Kill the process once, unless this file exists; it is made then.
    die_once: Out<Option<PathBuf>>,
    /// At which fortnight.
    #[arg(default = "seattle/2012-01-01".to_owned())]
    die_at: Out<String>,
) -> Out<Climate> {
    let surveys = fortnights(folder).map(|days| survey_fortnight(days, delay, die_at, die_once));
    climate(surveys.collect_keyed())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(die_once: Option<PathBuf>) -> (PathBuf, Duration, Option<PathBuf>, String) {
        (data::path("weather"), Duration::ZERO, die_once, "seattle/2012-01-01".to_owned())
    }

    #[test]
    fn a_fortnight_tells_what_it_was_like() {
        let days = days_in(&data::path("weather/seattle/2012-01.csv")).unwrap();
        let ctx = OpContext::for_test();
        let survey = survey_fortnight::call(&ctx, &days[..14], Duration::ZERO, "", &None).unwrap();
        assert_eq!((survey.days, survey.wet_days, survey.warmest), (14, 8, 12.8));
        assert_eq!(ctx.notes().get("rain"), Some(&survey.rain.into()));
        assert_eq!(ctx.notes().progress, Some((13, 14)));
    }

    #[tokio::test]
    async fn all_days_are_surveyed() -> Result<(), fanfold::RunError> {
        let run = survey::job().args(args(None)).run_in_memory().await?;
        let climate = run.output();
        assert_eq!((climate.fortnights, climate.days), (210, 2922));
        Ok(())
    }

    #[tokio::test]
    async fn a_process_that_died_before_goes_through() -> Result<(), Box<dyn std::error::Error>> {
        let marker = tempfile::NamedTempFile::new()?;
        let run = survey::job().args(args(Some(marker.path().to_owned()))).run_in_memory().await?;
        assert_eq!(run.output().fortnights, 210);
        Ok(())
    }
}
