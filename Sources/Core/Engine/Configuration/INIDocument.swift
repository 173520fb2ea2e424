/// A place in a configuration file.
package struct SourcePlace: Sendable, Hashable {
    /// The file as the user named it.
    package let file: String
    /// Counts from 1; 0 means the file as a whole.
    package let line: Int

    /// Makes a place.
    package init(file: String, line: Int) {
        self.file = file
        self.line = line
    }
}

/// The sections of an INI file in the order they were written, with the line of everything.
package struct INIDocument: Sendable, Hashable {
    /// One `key = value`.
    package struct Entry: Sendable, Hashable {
        /// As written.
        package let key: String
        /// Without surrounding blanks and without one pair of quotes.
        package let value: String
        /// Counts from 1.
        package let line: Int
    }

    /// One `[name]` with the entries below it.
    package struct Section: Sendable, Hashable {
        /// What stands between the brackets.
        package let name: String
        /// Counts from 1.
        package let line: Int
        /// In file order; a key occurs once.
        package var entries: [Entry]
    }

    /// In file order; a name occurs once.
    package var sections: [Section] = []
}
