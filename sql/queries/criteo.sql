-- The labelled rows of a day, in Criteo's layout.
-- ranges: line
SELECT day, line, label, i1, i2, i3, i4, i5, i6, i7, i8, i9, i10, i11, i12, i13, c1, c2, c3, c4, c5, c6,
  c7, c8, c9, c10, c11, c12, c13, c14, c15, c16, c17, c18, c19, c20, c21, c22, c23, c24, c25, c26
FROM criteo
WHERE day = :day
