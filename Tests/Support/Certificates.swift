/// A certificate authority of the tests, and a server's certificate for `localhost`.
enum Certificates {
    /// Makes `ca.pem`, `server.pem` and `server.key` with the `openssl` program.
    static func make(in folder: String) throws {
        let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        try openssl(
            ["req", "-x509", "-subj", "/CN=Authority of the tests", "-days", "2"] + curve
                + ["-keyout", folder + "/ca.key", "-out", folder + "/ca.pem"])
        try openssl(
            ["req", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"] + curve
                + ["-keyout", folder + "/server.key", "-out", folder + "/server.csr"])
        try openssl([
            "x509", "-req", "-in", folder + "/server.csr", "-CA", folder + "/ca.pem", "-CAkey", folder + "/ca.key",
            "-CAcreateserial", "-days", "2", "-copy_extensions", "copy", "-out", folder + "/server.pem",
        ])
    }

    private static func openssl(_ arguments: [String]) throws { try Program.check("/usr/bin/openssl", arguments) }
}
