#!/bin/sh
# Cuts the example data out of the unpacked packages named in README.md.
#
#     data/cut.sh PLANES.CSV WEATHER.CSV BOOKS_FOLDER
#
# Gives the same bytes on every machine with awk, iconv and tr.
set -eu
[ $# -eq 3 ] || { sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2; }
planes=$1 weather=$2 books=$3
cd "$(dirname "$0")"

# Planes: as it is.
cp "$planes" planes.csv

# Weather: one file a city and month, each with the header.
rm -rf weather
mkdir -p weather/seattle weather/new-york
awk -F, '
    NR == 1 { header = $0; next }
    {
        city = tolower($1)
        gsub(/ /, "-", city)
        file = "weather/" city "/" substr($2, 1, 7) ".csv"
        if (file != last) { if (last) close(last); print header > file; last = file }
        print > file
    }
' "$weather"

# Two files that cannot be read, on purpose.
: > weather/seattle/2016-01-empty.csv
cat > weather/new-york/2016-01-malformed.csv <<'END'
location,date,precipitation,temp_max,temp_min,wind,weather
New York,2016-01-01,0.0,5.6,1.1,7.2,sun
New York,2016-01-02,heavy,4.4,-1.1,6.3,rain
New York,2016-01-03,0.0,7.2,1.7,6.6,sun
END

# Books: Unix line ends and UTF-8; the words are untouched.
mkdir -p books
for name in carroll-alice shakespeare-macbeth shakespeare-hamlet shakespeare-caesar \
            blake-poems burgess-busterbrown; do
    # All of them are ASCII but for two Latin-1 letters in Caesar.
    iconv -f latin1 -t utf-8 "$books/$name.txt" | tr -d '\r' > "books/$name.txt"
done
