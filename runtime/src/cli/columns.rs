//! Tables of text, whose cells may be painted.

use console::{Alignment, measure_text_width, pad_str};

/// Rows under a head, each cell as wide as the widest of its column; the last is not padded.
pub(super) fn columns(rows: &[Vec<String>]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| measure_text_width(cell)).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..count).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths);
        let cells: Vec<_> = cells.map(|(cell, width)| pad_str(cell, *width, Alignment::Left, None)).collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}
