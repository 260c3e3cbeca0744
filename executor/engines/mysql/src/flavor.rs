//! Where MariaDB and MySQL, and their versions, differ.

/// Which product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Product {
    /// MariaDB.
    MariaDb,
    /// MySQL of Oracle.
    MySql,
}

/// A server as far as it decides what SQL means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Flavor {
    /// Which product.
    pub(crate) product: Product,
    /// Major and minor version.
    pub(crate) version: (u32, u32),
    /// The collation that new tables get.
    pub(crate) collation: String,
    /// Whether names of tables are kept in lower case (`lower_case_table_names = 1`).
    pub(crate) lower: bool,
}

impl Flavor {
    /// From the text of [`Flavor::text`]; what is missing is taken from a common MariaDB.
    pub(crate) fn parse(text: &str) -> Self {
        let (text, lower) = text.strip_suffix("/lower").map_or((text, false), |text| (text, true));
        let (server, collation) = text.split_once('/').unwrap_or((text, "utf8mb4_general_ci"));
        let (product, number) = server.split_once('-').unwrap_or(("mariadb", server));
        let product = if product == "mysql" { Product::MySql } else { Product::MariaDb };
        let mut parts = number.split('.').map(|part| part.parse().unwrap_or(0));
        let version = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
        Self { product, version, collation: collation.to_owned(), lower }
    }

    /// From what `SELECT VERSION()` says; nothing if the server is too old.
    pub(crate) fn of_server(says: &str, collation: &str) -> Option<Self> {
        let number: Vec<u32> = says.split(['.', '-']).map_while(|part| part.parse().ok()).collect();
        let (Some(major), Some(minor)) = (number.first(), number.get(1)) else { return None };
        let maria = says.to_ascii_lowercase().contains("mariadb");
        // Replication made old MariaDB servers say 5.5.5- before their own version.
        let version = (*major, *minor);
        let oldest = if maria { (10, 5) } else { (8, 0) };
        let product = if maria { Product::MariaDb } else { Product::MySql };
        (version >= oldest).then(|| Self { product, version, collation: collation.to_owned(), lower: false })
    }

    /// As snapshots and plans say it.
    pub(crate) fn text(&self) -> String {
        let product = if self.is_maria() { "mariadb" } else { "mysql" };
        let lower = if self.lower { "/lower" } else { "" };
        format!("{product}-{}.{}/{}{lower}", self.version.0, self.version.1, self.collation)
    }

    pub(crate) fn is_maria(&self) -> bool {
        self.product == Product::MariaDb
    }

    /// Whether triggers, routines and events can be replaced in one statement.
    pub(crate) fn replaces_code(&self) -> bool {
        self.is_maria()
    }

    /// Whether integers have a display width in the catalog.
    pub(crate) fn shows_width(&self) -> bool {
        self.is_maria()
    }

    /// Whether JSON is another name of LONGTEXT with a check.
    pub(crate) fn json_is_text(&self) -> bool {
        self.is_maria()
    }

    /// Whether an exchange of names outlives a crash of the server as a whole or not at all.
    pub(crate) fn swaps_tables(&self) -> bool {
        !self.is_maria() || self.version >= (10, 6)
    }

    /// `IF EXISTS` and the like inside ALTER TABLE.
    pub(crate) fn if_not_exists(&self) -> &'static str {
        if self.is_maria() { "IF NOT EXISTS " } else { "" }
    }

    /// The name that the server gives a check declared without one.
    pub(crate) fn check_name(&self, table: &str, number: usize) -> String {
        if self.is_maria() { format!("CONSTRAINT_{number}") } else { format!("{table}_chk_{number}") }
    }

    /// Whether dropping a column changes metadata only.
    pub(crate) fn drops_column_instantly(&self) -> bool {
        self.is_maria() || self.version > (8, 0)
    }

    /// The collation that a character set has where none is given.
    pub(crate) fn default_collation(&self, charset: &str) -> String {
        let charset = canonical_charset(charset);
        match charset.as_str() {
            "utf8mb4" if !self.is_maria() => "utf8mb4_0900_ai_ci".to_owned(),
            "utf8mb4" | "utf8mb3" | "ucs2" | "utf16" | "utf32" if self.is_maria() && self.version >= (11, 5) => {
                format!("{charset}_uca1400_ai_ci")
            }
            "latin1" => "latin1_swedish_ci".to_owned(),
            "gbk" | "big5" => format!("{charset}_chinese_ci"),
            "sjis" | "cp932" | "ujis" | "eucjpms" => format!("{charset}_japanese_ci"),
            "swe7" => "swe7_swedish_ci".to_owned(),
            "latin5" => "latin5_turkish_ci".to_owned(),
            "tis620" => "tis620_thai_ci".to_owned(),
            "euckr" => "euckr_korean_ci".to_owned(),
            "gb2312" | "gb18030" => format!("{charset}_chinese_ci"),
            "binary" => "binary".to_owned(),
            other => format!("{other}_general_ci"),
        }
    }

    /// A collation as the catalog writes it.
    pub(crate) fn canonical_collation(&self, collation: &str) -> String {
        let lower = collation.to_ascii_lowercase();
        match lower.strip_prefix("utf8_") {
            Some(rest) => format!("utf8mb3_{rest}"),
            None => lower,
        }
    }
}

/// A character set as the catalog writes it.
pub(crate) fn canonical_charset(charset: &str) -> String {
    let lower = charset.to_ascii_lowercase();
    if lower == "utf8" { "utf8mb3".to_owned() } else { lower }
}

/// The character set of a collation.
pub(crate) fn charset_of(collation: &str) -> &str {
    collation.split('_').next().unwrap_or(collation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_say_what_they_are() {
        let flavor = Flavor::of_server("10.11.19-MariaDB-0+deb12u1", "utf8mb4_general_ci").unwrap();
        assert_eq!(flavor.text(), "mariadb-10.11/utf8mb4_general_ci");
        assert_eq!(Flavor::parse(&flavor.text()), flavor);
        let lower = Flavor { lower: true, ..flavor };
        assert_eq!(lower.text(), "mariadb-10.11/utf8mb4_general_ci/lower");
        assert_eq!(Flavor::parse(&lower.text()), lower);
        assert_eq!(Flavor::of_server("8.4.3", "x").unwrap().product, Product::MySql);
        assert_eq!(Flavor::of_server("5.7.44", "x"), None);
        assert_eq!(Flavor::of_server("10.4.1-MariaDB", "x"), None);
    }
}
