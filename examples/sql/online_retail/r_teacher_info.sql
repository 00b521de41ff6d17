-- Online Retail II: one row per customer, with what never changes: country, and day of the first basket.
CREATE TABLE r_teacher_info (
    teacher_id BIGINT NOT NULL,
    country VARCHAR(64),
    register_day VARCHAR(10) NOT NULL,
    PRIMARY KEY (teacher_id)
);
