//! Are two pictures the same, but for what fonts and their edges may do?

use image::{ImageFormat, Rgb, RgbImage, imageops};
use std::{
    cmp::Reverse,
    collections::HashMap,
    fs::{self, File},
    io::{BufWriter, Cursor},
    path::Path,
};

/// Pictures are compared at this fraction of their size.
const SHRINK: u32 = 4;
/// A channel may differ by so much there.
const TOLERANCE: u8 = 40;
/// So many of the pixels may differ by more.
const SHARE: f64 = 0.01;

/// Decodes a PNG.
pub fn read(png: &[u8]) -> RgbImage {
    let mut reader = image::ImageReader::new(Cursor::new(png));
    reader.set_format(ImageFormat::Png);
    reader.decode().unwrap().to_rgb8()
}

/// Writes one with a palette: a third of the size. The most frequent colours stay, the others become the nearest of them.
pub fn write(path: &Path, picture: &RgbImage) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut counted: HashMap<[u8; 3], usize> = HashMap::new();
    for pixel in picture.pixels() {
        *counted.entry(pixel.0).or_default() += 1;
    }
    let mut colours: Vec<([u8; 3], usize)> = counted.into_iter().collect();
    colours.sort_by_key(|(colour, count)| (Reverse(*count), *colour));
    let palette: Vec<[u8; 3]> = colours
        .iter()
        .take(256)
        .map(|(colour, _)| *colour)
        .collect();
    let places: HashMap<[u8; 3], u8> = colours
        .iter()
        .map(|(colour, _)| (*colour, nearest(&palette, *colour)))
        .collect();
    let places: Vec<u8> = picture.pixels().map(|pixel| places[&pixel.0]).collect();
    let file = BufWriter::new(File::create(path).unwrap());
    let mut encoder = png::Encoder::new(file, picture.width(), picture.height());
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(palette.concat());
    encoder.set_compression(png::Compression::High);
    encoder.set_filter(png::Filter::NoFilter);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&places).unwrap();
    writer.finish().unwrap();
}

fn nearest(palette: &[[u8; 3]], colour: [u8; 3]) -> u8 {
    let far = |other: &[u8; 3]| -> u32 {
        let steps = other
            .iter()
            .zip(colour)
            .map(|(a, b)| u32::from(a.abs_diff(b)));
        steps.map(|step| step * step).sum()
    };
    let place = (0..palette.len()).min_by_key(|i| far(&palette[*i]));
    place.unwrap_or_default() as u8
}

fn small(picture: &RgbImage) -> RgbImage {
    imageops::thumbnail(picture, picture.width() / SHRINK, picture.height() / SHRINK)
}

/// What is wrong, and a picture in which it is red; `None` where they are the same.
pub fn difference(expected: &RgbImage, found: &RgbImage) -> Option<(String, RgbImage)> {
    if expected.dimensions() != found.dimensions() {
        let why = format!(
            "{:?} instead of {:?} pixels",
            found.dimensions(),
            expected.dimensions()
        );
        return Some((why, found.clone()));
    }
    let (a, b) = (small(expected), small(found));
    let mut marked = b.clone();
    let mut wrong = 0_u32;
    for ((a, b), mark) in a.pixels().zip(b.pixels()).zip(marked.pixels_mut()) {
        let far = a.0.iter().zip(b.0).any(|(a, b)| a.abs_diff(b) > TOLERANCE);
        if far {
            wrong += 1;
            *mark = Rgb([255, 0, 0]);
        } else {
            *mark = Rgb(b.0.map(|c| 192 + c / 4));
        }
    }
    let share = f64::from(wrong) / f64::from(a.width() * a.height());
    (share > SHARE).then(|| (format!("{:.1} % of it differ", share * 100.0), marked))
}

#[test]
fn small_differences_are_none() {
    let page = RgbImage::from_fn(400, 400, |x, y| {
        Rgb([if (x / 40 + y / 40) % 2 == 0 { 250 } else { 30 }; 3])
    });
    let mut shaded = page.clone();
    shaded
        .pixels_mut()
        .for_each(|p| p.0[0] = p.0[0].saturating_sub(9));
    assert!(difference(&page, &shaded).is_none());
    let mut moved = page.clone();
    imageops::replace(&mut moved, &RgbImage::new(80, 80), 100, 100);
    let (why, marked) = difference(&page, &moved).unwrap();
    assert!(why.contains('%'), "{why}");
    assert_eq!(marked.get_pixel(30, 30), &Rgb([255, 0, 0]));
    assert!(difference(&page, &RgbImage::new(400, 399)).is_some());
}
