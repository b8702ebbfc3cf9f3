//! What is known about a thing in a cell.

use anyhow::{Context, Result};
use ra_ap_ide::{
    FileRange, HoverConfig, HoverDocFormat, RaFixtureConfig, SubstTyLen, TextRange, TextSize,
};

use super::reader::Reader;
use super::scene::Scene;
use crate::session::Bundle;

/// The declaration and the documentation of the thing that ends at a byte of the cell, as text and
/// as HTML.
pub fn find(reader: &mut Reader, scene: &Scene, at: usize) -> Result<Option<Bundle>> {
    let place = scene.place(at).context("there is no Rust at this place")?;
    reader.set(scene.text.clone());
    let Some(plain) = hover(reader, place, HoverDocFormat::PlainText)? else { return Ok(None) };
    let markdown = hover(reader, place, HoverDocFormat::Markdown)?.unwrap_or_default();
    let mut html = String::new();
    pulldown_cmark::html::push_html(&mut html, pulldown_cmark::Parser::new(&markdown));
    Ok(Some([("text/plain".to_owned(), plain), ("text/html".to_owned(), html)].into()))
}

fn hover(reader: &Reader, place: usize, format: HoverDocFormat) -> Result<Option<String>> {
    let config = HoverConfig {
        links_in_hover: true,
        memory_layout: None,
        documentation: true,
        keywords: true,
        format,
        max_trait_assoc_items_count: None,
        max_fields_count: Some(5),
        max_enum_variants_count: Some(5),
        max_subst_ty_len: SubstTyLen::Unlimited,
        show_drop_glue: false,
        ra_fixture: RaFixtureConfig::default(),
    };
    let range = TextRange::empty(TextSize::from(u32::try_from(place)?));
    let found = reader.analysis().hover(&config, FileRange { file_id: reader.file, range })?;
    let text = found.map(|found| String::from(found.info.markup));
    Ok(text.filter(|text| !text.is_empty()))
}
