//! Seconds since 1970 in the two forms that S3 writes.

/// `Mon, 23 Nov 2026 12:56:19 GMT`, for headers.
pub fn http(seconds: f64) -> String {
    let (days, (hour, minute, second)) = split(seconds);
    let (year, month, day) = civil(days);
    let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][(days % 7) as usize];
    let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = names[month as usize - 1];
    format!("{weekday}, {day:02} {month} {year} {hour:02}:{minute:02}:{second:02} GMT")
}

/// `2026-11-23T12:56:19.000Z`, for XML.
pub fn iso(seconds: f64) -> String {
    let (days, (hour, minute, second)) = split(seconds);
    let (year, month, day) = civil(days);
    format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.000Z")
}

fn split(seconds: f64) -> (u64, (u64, u64, u64)) {
    let whole = seconds as u64;
    let (days, rest) = (whole / 86400, whole % 86400);
    (days, (rest / 3600, rest / 60 % 60, rest % 60))
}

fn civil(mut days: u64) -> (u64, u64, u64) {
    let mut year = 1970;
    loop {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let length = if leap { 366 } else { 365 };
        if days < length {
            let february = if leap { 29 } else { 28 };
            let mut month = 1;
            for len in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
                if days < len {
                    break;
                }
                days -= len;
                month += 1;
            }
            return (year, month, days + 1);
        }
        days -= length;
        year += 1;
    }
}
